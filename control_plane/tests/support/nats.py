"""NATS from its wheel, with the configuration that the platform gives it."""

from __future__ import annotations

import subprocess
import sysconfig
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.ports import free_port
from support.processes import START_SECONDS, wait_for

CONFIGURATION = Path(__file__).parents[3] / "platform/components/nats/kubernetes/nats.conf"


class Nats:
    """A server whose data outlives it: it can be killed and started again on the same port."""

    def __init__(self, directory: Path, certificate: Path) -> None:
        self.port = free_port()
        self._monitor = free_port()
        self._file = directory / "nats.conf"
        self._process: subprocess.Popen[bytes] | None = None
        text = CONFIGURATION.read_text(encoding="utf-8")
        for shipped, here in (
            ("/run/certificates", str(certificate)),
            ("store_dir: /data", f"store_dir: {directory / 'data'}"),
            ("http_port: 8222", f"http: 127.0.0.1:{self._monitor}"),
            ("port: $NATS_PORT", f"listen: 127.0.0.1:{self.port}"),
            # Who sees everything.
            ("  users: [\n", '  users: [\n    {user: "CN=observer"}\n'),
        ):
            assert shipped in text
            text = text.replace(shipped, here)
        self._file.write_text(text)

    def start(self) -> None:
        program = Path(sysconfig.get_path("scripts")) / "nats-server"
        self._process = subprocess.Popen(
            [program, "--config", self._file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._healthy, "NATS")

    def kill(self) -> None:
        """As a power cut would."""
        assert self._process
        self._process.kill()
        self._process.wait(START_SECONDS)
        self._process = None

    def stop(self) -> None:
        if self._process:
            self.kill()

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._monitor}/healthz", timeout=1):
                return True
        except OSError:
            return False


@contextmanager
def nats(directory: Path, certificate: Path) -> Iterator[Nats]:
    """A running server."""
    server = Nats(directory, certificate)
    server.start()
    try:
        yield server
    finally:
        server.stop()
