"""The GPU fleet as a process of its own, some hundred times as fast as it is."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from gpuaas.fleet.client import Fleet
from support.ports import free_port
from support.processes import START_SECONDS, wait_for

SOURCE = Path(__file__).resolve().parents[3] / "gpu_fleet" / "src"
TOKEN = "controller-test-token"


class RunningFleet:
    """Its state outlives it: it can be killed and started again."""

    def __init__(self, directory: Path, certificate: Path, more: Mapping[str, str]) -> None:
        credentials, data = directory / "credentials", directory / "data"
        credentials.mkdir()
        data.mkdir()
        (credentials / "controller_token").write_text(TOKEN)
        self.port = free_port()
        self.ca = certificate / "ca.crt"
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE),
            "GPU_FLEET_LOG_LEVEL": "warning",
            "GPU_FLEET_HOST": "127.0.0.1",
            "GPU_FLEET_LISTEN_PORT": str(self.port),
            "GPU_FLEET_PROBE_PORT": str(free_port()),
            "GPU_FLEET_SIMULATION_PORT": str(free_port()),
            "GPU_FLEET_CA_FILE": str(self.ca),
            "GPU_FLEET_CERTIFICATE": str(certificate),
            "GPU_FLEET_CREDENTIALS": str(credentials),
            "GPU_FLEET_DATA": str(data),
            "GPU_FLEET_FAULTS_FILE": str(data / "faults.json"),
            "GPU_FLEET_NODES": "8xH100,8xH100,8xA100",
            "GPU_FLEET_SEED": "test",
            "GPU_FLEET_SPEED": "200",
            "GPU_FLEET_ATTACH_TIME": "8s",
            "GPU_FLEET_START_TIME": "40s",
            "GPU_FLEET_VERIFY_TIME": "20s",
            "GPU_FLEET_DEPLOY_TIME": "20s",
            "GPU_FLEET_REMOVE_TIME": "6s",
            "GPU_FLEET_STOP_TIME": "10s",
            "GPU_FLEET_RELEASE_TIME": "4s",
            **more,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", "gpu_fleet", "serve"], env=self._environment)
        url = f"http://127.0.0.1:{self._environment['GPU_FLEET_PROBE_PORT']}/healthz/ready"
        wait_for(lambda: _answers(url), "the fleet")

    def kill(self) -> None:
        """As a power cut would."""
        assert self._process
        self._process.kill()
        self._process.wait(START_SECONDS)

    def client(self) -> Fleet:
        """A controller's."""
        return Fleet(f"https://127.0.0.1:{self.port}", TOKEN, ssl.create_default_context(cafile=str(self.ca)))

    def fault(self, **fault: Any) -> str:
        """Set a fault; returns its id."""
        return self._command("fault", "set", json.dumps(fault)).strip()

    def clear(self, identity: str) -> None:
        """Take a fault back."""
        self._command("fault", "clear", identity)

    def effects(self, instance: object) -> list[str]:
        """What was done to an instance's reservations, in order."""
        return [effect for _reservation, effect in self.ledger(instance)]

    def ledger(self, instance: object) -> list[tuple[str, str]]:
        """Reservation and effect of each line about an instance, in order."""
        lines = [json.loads(line) for line in self._command("ledger").splitlines()]
        return [(line["reservation"], line["effect"]) for line in lines if line["instance"] == str(instance)]

    def _command(self, *arguments: str) -> str:
        argv = [sys.executable, "-m", "gpu_fleet", *arguments]
        return subprocess.run(argv, env=self._environment, check=True, capture_output=True, text=True).stdout


@contextmanager
def fleet(directory: Path, certificate: Path, **more: str) -> Iterator[RunningFleet]:
    """A running fleet, empty; ``more`` is added to its environment."""
    running = RunningFleet(directory, certificate, more)
    try:
        running.start()
        yield running
    finally:
        running.kill()
        shutil.rmtree(directory, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=1).is_success
    except httpx.HTTPError:
        return False
