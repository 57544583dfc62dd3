"""The program itself, with its ports and its certificate."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from support.environment import TOKEN

START_SECONDS = 120
SOURCE = Path(__file__).resolve().parents[2] / "src"


def free_port() -> str:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A fleet that runs."""

    process: subprocess.Popen[str]
    environment: Mapping[str, str]

    def client(self, headers: Mapping[str, str] | None = None) -> httpx.Client:
        """A controller's."""
        context = ssl.create_default_context(cafile=self.environment["GPU_FLEET_CA_FILE"])
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.environment['GPU_FLEET_LISTEN_PORT']}",
            verify=context,
            headers={"Authorization": f"Bearer {TOKEN}", **(headers or {})},
            trust_env=False,
            timeout=START_SECONDS,
        )

    def ready(self) -> bool:
        """Whether its probe says so."""
        try:
            url = f"http://127.0.0.1:{self.environment['GPU_FLEET_PROBE_PORT']}/healthz/ready"
            return httpx.get(url, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """At once (SIGKILL)."""
        self.process.kill()
        self.process.wait()


def command(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    argv = [sys.executable, "-m", "gpu_fleet", *arguments]
    return subprocess.run(
        argv, env=_environ(environment), capture_output=True, text=True, timeout=START_SECONDS, check=False
    )


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[Running]:
    """``gpu-fleet serve`` on the ports of the environment."""
    argv = [sys.executable, "-m", "gpu_fleet", "serve"]
    process = subprocess.Popen(argv, env=_environ(environment), stdout=subprocess.PIPE, text=True)
    running = Running(process, environment)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not running.ready():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield running
    finally:
        process.kill()
        process.communicate()


def _environ(environment: Mapping[str, str]) -> dict[str, str]:
    return {**environment, "PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"]}
