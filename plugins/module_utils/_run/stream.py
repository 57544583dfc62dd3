# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a long program and hand out its lines while it works."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed, failed, start, timed_out

_TERM_GRACE_SECONDS = 5.0


def stream(
    argv: Sequence[str],
    on_line: Callable[[str], None],
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    on_start: Callable[[int], None] | None = None,
) -> Completed:
    """Like `run`, with standard output and error joined and given to ``on_line`` line by line.

    Everything is also written to ``log`` (0600). ``on_start`` receives the
    child's process id before its first line. However this function is left,
    the child has ended. Raises as `run` does.
    """
    lines: list[str] = []
    sink = _open_log(log)
    process = start(argv, stderr=subprocess.STDOUT, env=env)
    try:
        if on_start:
            on_start(process.pid)
        for line in _lines(process, argv, time.monotonic() + timeout, timeout, lines):
            if sink is not None:
                os.write(sink, (line + "\n").encode())
            on_line(line)
        rc = process.wait()
    finally:
        _end(process)
        if sink is not None:
            os.close(sink)
    done = Completed("\n".join(lines), "", rc)
    if rc != 0:
        raise failed(argv, done)
    return done


def _open_log(log: Path | None) -> int | None:
    if log is None:
        return None
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)


def _lines(process: subprocess.Popen[bytes], argv: Sequence[str], deadline: float, timeout: float, kept: list[str]) -> Iterator[str]:
    """Lines as they come; every one is also appended to ``kept``."""
    if process.stdout is None:
        raise ParityError("INTERNAL", "a child was started without a pipe")
    handle = process.stdout.fileno()
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise timed_out(argv, timeout, "\n".join(kept))
            chunk = os.read(handle, 65536)
            *whole, rest = (rest + chunk).split(b"\n")
            if not chunk and rest:
                whole, rest = [rest], b""
            for raw in whole:
                line = raw.decode(errors="replace").rstrip("\r")
                kept.append(line)
                yield line
            if not chunk:
                return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Make sure the child is gone: asked first, killed after a grace."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_TERM_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
