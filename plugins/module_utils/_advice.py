# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to type. A text names a verb in braces, ``{up}``; here the run's own command takes its place."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.place import REFERENCE

VERBS = ("up", "status", "validate", "logs", "reset", "down", "drift", "rotate")
_MAKEFILE = REFERENCE.parent / "Makefile"
_FAMILIES = {"compose": "local-dev"}


@dataclass(frozen=True)
class Commands:
    """How a verb is run: with make in a checkout, with ansible-playbook where the collection is installed.

    ``target`` is what the mode is rendered for; a shared one has no such verbs, and what has to be tried first is tried in
    kind. ``platform`` is the folder as it was given, empty for the reference platform.
    """

    target: str = ""
    instance: str = ""
    platform: str = ""
    with_make: bool = _MAKEFILE.is_file()

    def of(self, verb: str) -> str:
        """The command of a verb."""
        given = {"instance": self.instance, "platform": self.platform}
        chosen = {name: shlex.quote(value) for name, value in given.items() if value}
        if not self.with_make:
            mode = {"mode": "compose"} if self.target == "compose" else {}
            return " ".join([f"ansible-playbook gpuaas.parity.{verb}", *(f"-e {name}={value}" for name, value in (mode | chosen).items())])
        if verb == "rotate":
            words = ["make parity-secrets-rotate", *(["MODE=compose"] if self.target == "compose" else [])]
        else:
            words = [f"make {_FAMILIES.get(self.target, 'kind-parity')}-{verb}"]
        return " ".join([*words, *(f"{name.upper()}={value}" for name, value in chosen.items())])

    def fill(self, text: str) -> str:
        """``text`` with every ``{verb}`` replaced by its command."""
        for verb in VERBS:
            text = text.replace(f"{{{verb}}}", self.of(verb))
        return text
