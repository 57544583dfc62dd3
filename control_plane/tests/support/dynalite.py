"""dynalite as the platform runs it, under Node from its wheel: the component's lock file, and the component's program."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from support import npm
from support.ports import free_port
from support.processes import COMPONENTS, START_SECONDS, wait_for

IMAGE = COMPONENTS / "dynalite" / "image"


class Dynalite:
    """A server whose data outlives it: it can be killed and started again on the same port; ``empty`` takes its volume."""

    def __init__(self, directory: Path, certificate: Path, clients: str = "journal") -> None:
        self.port, self._probes, admin = free_port(), free_port(), free_port()
        self._data = directory / "dynalite"
        self._environ = {
            "DYNALITE_HOST": "127.0.0.1",
            "DYNALITE_PORT": str(self.port),
            "DYNALITE_PROBE_PORT": str(self._probes),
            "DYNALITE_ADMIN_PORT": str(admin),
            "DYNALITE_CERTIFICATE": str(certificate),
            "DYNALITE_DATA": str(self._data),
            "DYNALITE_CLIENTS": clients,
            "NODE_PATH": str(npm.installed(IMAGE / "package-lock.json")),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [npm.node(), IMAGE / "server.js"],
            env=self._environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers, "dynalite")

    def kill(self) -> None:
        """As the kernel would for want of memory."""
        assert self._process
        self._process.kill()
        self._process.wait(START_SECONDS)
        self._process = None

    def stop(self) -> int:
        """As it is told to; returns its exit status."""
        assert self._process
        self._process.terminate()
        status = self._process.wait(START_SECONDS)
        self._process = None
        return status

    def empty(self) -> None:
        """Killed, and started with nothing."""
        self.kill()
        shutil.rmtree(self._data)
        self.start()

    def end(self) -> None:
        if self._process:
            self.kill()

    def forget(self) -> None:
        """What a reset runs in its container."""
        subprocess.run([npm.node(), IMAGE / "forget.js"], env=self._environ, check=True, capture_output=True)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self._probes}/", trust_env=False, timeout=1).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def dynalite(directory: Path, certificate: Path) -> Iterator[Dynalite]:
    """A running server."""
    server = Dynalite(directory, certificate)
    server.start()
    try:
        yield server
    finally:
        server.end()
