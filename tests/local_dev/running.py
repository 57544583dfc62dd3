"""The Compose project of this checkout, which is up."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.tests.superuser import psql

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0


def docker(*arguments: str) -> str:
    """What a command of Docker prints."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@dataclass(frozen=True)
class Running:
    """What ``up`` left: its contract, and containers by service."""

    state_dir: Path
    contract: dict[str, Any]
    containers: dict[str, dict[str, Any]]

    @classmethod
    def load(cls, state_dir: Path) -> Running:
        """The project that a run keeps in ``state_dir``; ``FileNotFoundError`` when it is not up."""
        contract = json.loads((state_dir / "rendered" / "contract.json").read_text(encoding="utf-8"))
        label = f"label=com.docker.compose.project={contract['project']}"
        inspected = json.loads(docker("inspect", *docker("ps", "--all", "--quiet", "--filter", label).split()))
        containers = {item["Config"]["Labels"]["com.docker.compose.service"]: item for item in inspected}
        return cls(state_dir, contract, containers)

    def inside(self, service: str, *command: str) -> str:
        """What a command prints in the container of a service."""
        # By its name, which stays when the container is made again.
        argv = ["docker", "exec", self.containers[service]["Name"].removeprefix("/"), *command]
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout

    def await_healthy(self, service: str) -> None:
        """Wait until the health check of a service holds again."""
        container = self.containers[service]["Id"]
        end = time.monotonic() + PATIENCE
        while (seen := docker("inspect", "--format={{.State.Health.Status}}", container)) != "healthy":
            # Each question takes a few hundredths of a second itself.
            assert time.monotonic() < end, (seen, docker("logs", "--tail=20", container))

    def sql(self, statement: str) -> str:
        """What a statement of Postgres' superuser prints."""
        return self.inside("postgres", *psql(statement)).strip()
