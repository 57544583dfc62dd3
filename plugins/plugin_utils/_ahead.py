# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import what a later step needs while an earlier one works.

Each task works in a fork, and until that ends the process that forked has nothing to
do. What it imports meanwhile, every fork after that has. It never forks while it imports:
the child would wait for import locks of a thread that it does not have.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
import threading
from collections.abc import Sequence

_LAST = ("probe", "keycloak_bootstrap", "platform_status")
# By the action of a step, what steps after it need, in the order of `up`: most during what takes longest.
_LATER = {
    "run_state": ("host_preflight",),
    "host_preflight": ("contract_render",),
    "contract_render": ("local_secrets", "local_ca"),
    "local_secrets": ("image",),
    "local_ca": ("kind_cluster", "compose_machine"),
    "image": ("image_pin",),
    "kind_cluster": ("kustomize_apply",),
    "kustomize_apply": _LAST,
    "docker_compose_v2": _LAST,
}
_ACTIONS = "ansible_collections.gpuaas.parity.plugins.action."
# httpx imports it when it is first used, which would be in every fork.
_ALSO = dict.fromkeys(("kind_cluster", "probe"), ("httpcore",))


class Ahead:
    """Imports what later steps need while a child of this process is at work."""

    def __init__(self) -> None:
        self._wanted: Sequence[str] = ()
        self._thread: threading.Thread | None = None
        # httpx imports its command line as well where the libraries of that are there, as they are beside test tools.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
        os.register_at_fork(before=self._finish, after_in_parent=self._begin)

    def during(self, action: str) -> None:
        """A step with this action, such as ``gpuaas.parity.probe``, is about to be forked."""
        steps = _LATER.get(action.rpartition(".")[2], ())
        self._wanted = [name for step in steps for name in (_ACTIONS + step, *_ALSO.get(step, ()))]

    def _begin(self) -> None:
        wanted, self._wanted = self._wanted, ()
        if wanted:
            self._thread = threading.Thread(target=_import, args=(wanted,), daemon=True)
            self._thread.start()

    def _finish(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        # A fork that looks through all of it for garbage would copy it first.
        gc.freeze()


def _import(names: Sequence[str]) -> None:
    for name in names:
        # Whichever step needs it meets the failure, and tells it.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
