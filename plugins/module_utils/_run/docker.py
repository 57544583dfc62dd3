# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker command line as typed calls.

The command line and not the SDK: it is what kind uses itself, it knows the
user's contexts, and one call costs 15 ms.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import (
    Completed,
    Runner,
    clean_env,
    failed,
    run,
)

_UNREACHABLE = ("cannot connect to the docker daemon", "error during connect", "is the docker daemon running")
_FORBIDDEN = ("permission denied while trying to connect", "dial unix", "got permission denied")
_ABSENT = ("no such", "not found")


class Docker:
    """Calls of the ``docker`` program; ``runner`` starts it."""

    def __init__(self, runner: Runner = run, program: str = "docker") -> None:
        self._run = runner
        self._program = program

    def call(self, *argv: str, timeout: float = 60.0, check: bool = True, input: str | bytes | None = None) -> Completed:
        """Run ``docker argv``.

        Raises ``HOST_DOCKER_MISSING``, ``HOST_DOCKER_UNREACHABLE`` or
        ``HOST_DOCKER_PERMISSION`` when the engine is the problem, otherwise as `run`.
        """
        command = [self._program, *argv]
        try:
            done = self._run(command, timeout=timeout, check=False, env=clean_env(), input=input)
        except ParityError as error:
            if error.reason == "COMMAND_MISSING":
                raise ParityError("HOST_DOCKER_MISSING", error.seen) from error
            raise
        if done.rc != 0:
            problem = engine_problem(done.stderr)
            if problem:
                raise problem
            if check:
                raise failed(command, done)
        return done

    def objects(self, kind: str, names: Sequence[str]) -> list[dict[str, Any]]:
        """``docker inspect`` of those of ``names`` that exist, in any order; ``kind`` is its --type."""
        if not names:
            return []
        command = ["inspect", "--type", kind, *names]
        done = self.call(*command, check=False)
        if done.rc != 0 and not _only_absent(done.stderr):
            raise failed([self._program, *command], done)
        return list(json.loads(done.stdout or "[]") or [])

    def lines(self, *argv: str) -> list[str]:
        """The non-empty lines a listing prints."""
        return [line for line in self.call(*argv).stdout.splitlines() if line.strip()]


def engine_problem(stderr: str) -> ParityError | None:
    """The reason when ``stderr`` says that the engine itself cannot be used."""
    text = stderr.lower()
    seen = " ".join(stderr.split())[:400]
    if "permission denied" in text and any(mark in text for mark in _FORBIDDEN):
        return ParityError("HOST_DOCKER_PERMISSION", seen)
    if any(mark in text for mark in _UNREACHABLE):
        return ParityError("HOST_DOCKER_UNREACHABLE", seen)
    return None


def _only_absent(stderr: str) -> bool:
    """Whether every complaint is about something that does not exist."""
    complaints = [line.lower() for line in stderr.splitlines() if line.strip()]
    return bool(complaints) and all(any(mark in line for mark in _ABSENT) for line in complaints)
