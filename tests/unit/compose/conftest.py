"""An engine of canned answers, and the project that this checkout renders."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose import Paths
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.tests.unit.contract import reference

CHECKOUT = Path(__file__).resolve().parents[3]
PROJECT = "gpuaas-local"
Object = dict[str, Any]


@dataclass
class Engine:
    """Containers, networks and volumes of one project; ``answers`` are for commands that begin so."""

    containers: list[Object] = field(default_factory=list)
    networks: list[Object] = field(default_factory=list)
    volumes: list[Object] = field(default_factory=list)
    answers: dict[str, Completed] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Object]:
        found: list[Object] = {"container": self.containers, "network": self.networks, "volume": self.volumes}[kind]
        return found

    def run(self, argv: Sequence[str], **_options: Any) -> Completed:
        words = list(argv)[1:]
        line = " ".join(words)
        self.calls.append(line)
        for beginning, answer in self.answers.items():
            if line.startswith(beginning):
                return answer
        if words[0] == "ps":
            return Completed("".join(f"{item['Id']}\n" for item in self.containers), "", 0)
        if words[1] == "ls":
            return Completed("".join(f"{item['Name'].removeprefix('/')}\n" for item in self.of(words[0])), "", 0)
        if words[0] == "inspect":
            found = [item for item in self.of(words[2]) if {item["Name"].removeprefix("/"), item.get("Id")} & set(words[3:])]
            return Completed(json.dumps(found), "", 0)
        if words[1] == "rm":
            things = self.of(words[0])
            things[:] = [item for item in things if item["Name"].removeprefix("/") not in words or item["Name"] in self.stuck]
            return Completed("", "", 0)
        raise AssertionError(line)

    @property
    def docker(self) -> Docker:
        return Docker(self.run)


def container(service: str, state_dir: str = "", *, status: str = "running", rc: int = 0, health: str = "healthy") -> Object:
    """A container of the project; a job when ``health`` is empty."""
    ours = {"gpuaas.parity/state-dir": state_dir} if state_dir else {}
    state: Object = {"Status": status, "ExitCode": rc}
    test = {"Healthcheck": {"Test": ["CMD", "true"]}} if health else {}
    return {
        "Id": f"id-{service}",
        "Name": f"/{PROJECT}-{service}-1",
        "State": state | ({"Health": {"Status": health}} if health else {}),
        "HostConfig": {"RestartPolicy": {"Name": "on-failure" if health else "no"}},
        "Config": {"Labels": {"com.docker.compose.service": service, **ours}, **test},
    }


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture(scope="session", params=reference.LANES)
def lane(request: pytest.FixtureRequest) -> str:
    """Each lane of the reference platform."""
    return str(request.param)


@pytest.fixture(scope="session")
def tree(lane: str) -> dict[str, bytes]:
    """The files that this checkout renders for compose."""
    platform = reference.PLATFORM
    return render_mode(platform, platform.mode("compose"), lane, Paths("../../.parity/compose", "../..")).tree


@pytest.fixture(scope="session")
def project(tree: dict[str, bytes]) -> Object:
    """compose.yml as Compose reads it."""
    return dict(yaml.safe_load(tree["compose.yml"]))


@pytest.fixture
def rendered(tmp_path: Path, tree: dict[str, bytes]) -> Callable[[], tuple[Path, Path]]:
    """Write the rendering and what it hands out; returns (rendered directory, state directory)."""

    def write() -> tuple[Path, Path]:
        root, state = tmp_path / "deploy/local", tmp_path / ".parity/compose"
        for name, data in tree.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        for line in tree["files/deliver.list"].decode().splitlines():
            origin = line.split()[2]
            if origin.startswith("/from/state/"):
                path = state / origin.removeprefix("/from/state/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"what {origin} holds")
        return root, state

    return write
