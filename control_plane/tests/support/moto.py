"""moto's server, a second opinion on the DynamoDB API. It keeps nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from support.ports import free_port
from support.processes import START_SECONDS, wait_for


@contextmanager
def moto(certificate: Path) -> Iterator[str]:
    """Its URL; ``certificate`` is a directory with tls.crt and tls.key."""
    port = free_port()
    argv = ["-H", "127.0.0.1", "-p", str(port), "-c", str(certificate / "tls.crt"), "-k", str(certificate / "tls.key")]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", *argv],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"https://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(url), "moto")
        yield url
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/moto-api/", verify=False, trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False
