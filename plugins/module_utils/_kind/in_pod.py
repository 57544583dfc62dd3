# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program in a pod of the run's own cluster, through kubectl."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from ansible_collections.gpuaas.parity.plugins.module_utils._kind.guard import own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed, Runner, clean_env, run


class InPod:
    """Calls of ``kubectl exec``; close it or use it in a ``with``. Thread-safe.

    A program that is started in a pod may write, so before the first one the cluster is proved to be the run's own
    (``own_cluster``), and what was proved is what is used. ``runner`` starts kubectl, which is ``program``.
    """

    def __init__(self, program: Path, state_dir: Path, kubeconfig: Path, runner: Runner = run) -> None:
        self._program, self._state_dir, self._kubeconfig, self._run = program, state_dir, kubeconfig, runner
        self._lock = threading.Lock()
        self._closing = ExitStack()
        self._pinned: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def __call__(self, namespace: str, pod: str, container: str, command: Sequence[str], timeout: float) -> Completed:
        """Wait at most ``timeout`` seconds for the end of ``command``, whose exit status is the result's.

        Raises ParityError as ``own_cluster``, ``COMMAND_MISSING`` without kubectl and ``COMMAND_TIMEOUT``.
        """
        argv = [str(self._program), f"--kubeconfig={self._proved()}", f"--cache-dir={self._state_dir / 'kubectl-cache'}"]
        argv += ["exec", f"--namespace={namespace}", f"--container={container}", pod, "--", *command]
        return self._run(argv, timeout=timeout, check=False, env=clean_env())

    def _proved(self) -> Path:
        with self._lock:
            if self._pinned is None:
                self._pinned = self._closing.enter_context(own_cluster(self._state_dir, self._kubeconfig))
            return self._pinned
