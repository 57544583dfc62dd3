"""Temporal from its wheel: the development server, in memory."""

from __future__ import annotations

import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection

from support.ports import free_port
from support.processes import START_SECONDS, wait_for


@contextmanager
def temporal() -> Iterator[str]:
    """A server with namespace gpuaas and its search attributes; yields its address."""
    port = free_port()
    program = Path(sysconfig.get_path("scripts")) / "temporal"
    argv = [program, "server", "start-dev", "--headless", "--ip=127.0.0.1", f"--port={port}", "--namespace=gpuaas"]
    argv += ["--search-attribute=InstanceId=Keyword", "--search-attribute=Project=Keyword", "--log-level=error"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _listens(port), "Temporal")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(START_SECONDS)


def _listens(port: int) -> bool:
    try:
        create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
