# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start programs: typed, bounded in time, and a failure is a reason the user can act on.

A child stays in the worker's own process group, because that is what Ansible
signals when a run is interrupted (``WorkerProcess._term``): an interrupted run
leaves no program behind.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

PATIENT = 86400.0
"""Seconds for a program that works as long as it takes: no load of the machine makes a step of a build last a day."""
# Most of what a program prints is for its log; a message quotes its end.
_QUOTED_LINES = 12

# What a program may know of the shell that started the run. KUBECONFIG and
# every other export is left out: a run depends on its inventory alone. Docker's
# own variables choose the engine, as they do for every other Docker client.
_KEPT_ENV = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
_KEPT_ENV_PREFIX = "DOCKER_"


@dataclass(frozen=True)
class Completed:
    """What a program printed, and its exit status ``rc``."""

    stdout: str
    stderr: str
    rc: int


class Runner(Protocol):
    """The shape of `run`, so that a test can stand in for every program."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        input: str | bytes | None = None,
        timeout: float = 60.0,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> Completed:
        """Start ``argv`` and wait for it."""


def clean_env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a program whose behaviour must not depend on the user's shell."""
    kept = {k: v for k, v in os.environ.items() if k in _KEPT_ENV or k.startswith(_KEPT_ENV_PREFIX)}
    return {**kept, "LC_ALL": "C.UTF-8", **(extra or {})}


def tail(text: str, lines: int = _QUOTED_LINES) -> str:
    """The last non-empty lines of ``text``: where programs say why they failed."""
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-lines:])


def run(
    argv: Sequence[str],
    *,
    input: str | bytes | None = None,
    timeout: float = 60.0,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
) -> Completed:
    """Start ``argv`` without a shell, wait at most ``timeout`` seconds, return what it printed.

    ``env`` replaces the environment (see `clean_env`); None inherits it.
    Raises ParityError ``COMMAND_MISSING`` when the program cannot be started,
    ``COMMAND_TIMEOUT`` when it outlives its time (it is killed), and
    ``COMMAND_FAILED`` for a non-zero exit status unless ``check`` is false.
    Secrets belong in ``input`` or in files, never in ``argv``: messages show it.
    """
    data = input.encode() if isinstance(input, str) else input
    with start(argv, stdin=subprocess.DEVNULL if data is None else subprocess.PIPE, env=env, cwd=cwd) as process:
        try:
            out, err = process.communicate(data, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise timed_out(argv, timeout, _text(error.stderr) or _text(error.stdout)) from error
        except BaseException:
            process.kill()
            raise
    completed = Completed(_text(out), _text(err), process.returncode)
    if check and completed.rc != 0:
        raise failed(argv, completed)
    return completed


def start(
    argv: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stderr: int = subprocess.PIPE,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
) -> subprocess.Popen[bytes]:
    """A started child with piped output; ``COMMAND_MISSING`` when there is nothing to start."""
    try:
        # ansible-test wants AnsibleModule.run_command, which only a module on a target has.
        # pylint: disable-next=ansible-bad-function
        return subprocess.Popen(list(argv), stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, env=env, cwd=cwd)
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        where = error.filename or argv[0]
        raise ParityError("COMMAND_MISSING", f"cannot start {argv[0]}: {error.strerror}: {where}") from error


def failed(argv: Sequence[str], done: Completed) -> ParityError:
    """The error of a program that ended with a non-zero status, quoting the end of what it said."""
    said = tail(done.stderr) or tail(done.stdout) or "(it printed nothing)"
    details = {"argv": list(argv), "rc": done.rc, "stderr": tail(done.stderr, 40), "stdout": tail(done.stdout, 40)}
    return ParityError("COMMAND_FAILED", f"`{' '.join(argv)}` ended with status {done.rc}: {said}", details=details)


def timed_out(argv: Sequence[str], timeout: float, said: str) -> ParityError:
    """The error of a program that was killed because its time was over."""
    quoted = tail(said) or "(it printed nothing)"
    details = {"argv": list(argv), "timeout_seconds": timeout, "output": tail(said, 40)}
    return ParityError("COMMAND_TIMEOUT", f"`{' '.join(argv)}` was killed after {timeout:g} s: {quoted}", details=details)


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")
