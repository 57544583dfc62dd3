"""What stands on a machine is found by labels, whoever made it and whatever became of its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._status.machine import screen, standing

STATE, OWNER = "gpuaas.parity/state-dir", "gpuaas.parity/owner"
CLUSTER, PROJECT = "io.x-k8s.kind.cluster", "com.docker.compose.project"


class Engine:
    """Networks and, by label, containers; answers as the docker program does."""

    def __init__(self, networks: list[dict[str, Any]], containers: dict[str, list[dict[str, Any]]]) -> None:
        self.networks, self.containers = networks, containers

    def __call__(self, command: Sequence[str], **_: Any) -> Completed:
        argv = list(command[1:])
        if argv[:2] == ["network", "ls"]:
            return Completed("".join(f"{network['Name']}\n" for network in self.networks), "", 0)
        if argv[0] == "ps":
            return Completed("".join(f"{index}\n" for index, _container in enumerate(self.containers.get(argv[-1], []))), "", 0)
        names = argv[3:]
        found = [network for network in self.networks if network["Name"] in names]
        if argv[2] == "container":
            found = next((some for some in self.containers.values() if len(some) == len(names)), [])
        return Completed(json.dumps(found), "", 0)


def container(status: str, code: int = 0) -> dict[str, Any]:
    return {"State": {"Status": status, "ExitCode": code}}


def test_clusters_and_projects_of_any_checkout(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "gone"
    mine.mkdir()
    (mine / "run.json").write_text(json.dumps({"mode": "kind", "instance": "demo", "port": 20100}))
    engine = Engine(
        [
            {"Name": "gpuaas-parity-demo", "Labels": {STATE: str(mine), OWNER: "x"}},
            {"Name": "gpuaas-local", "Labels": {STATE: str(other), PROJECT: "gpuaas-local"}},
        ],
        {
            f"label={CLUSTER}=gpuaas-parity-demo": [container("running")],
            f"label={PROJECT}=gpuaas-local": [container("running"), container("exited", 137), container("exited")],
        },
    )
    local, demo = standing(Docker(engine))
    assert (demo.name, demo.mode, demo.instance, demo.port) == ("gpuaas-parity-demo", "kind", "demo", 20100)
    assert (demo.running, demo.containers) == (1, 1)
    assert (local.name, local.mode, local.port, local.running, local.containers) == ("gpuaas-local", "", 0, 1, 2)
    lines = screen([local, demo], str(mine))
    assert lines[0].split() == ["NAME", "MODE", "INSTANCE", "STATE", "PORT", "STATE", "DIRECTORY"]
    assert "1/2 up" in lines[1]
    assert lines[2].endswith("(this one)")


def test_nothing_stands() -> None:
    assert screen(standing(Docker(Engine([], {})))) == ["no platform stands on this machine"]
