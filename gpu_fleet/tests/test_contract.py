"""What is published is what is served, and what the settings say is what there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import Start
from gpu_fleet import settings
from gpu_fleet.api import app as api
from gpu_fleet.inventory import GpuType
from gpu_fleet.settings import ConfigurationError
from gpu_fleet.simulation import app as simulation
from support.machine import Machine

FOLDER = Path(__file__).parents[1]


def test_the_contract_is_what_is_served(machine: Machine) -> None:
    committed = json.loads((FOLDER / "openapi.json").read_text(encoding="utf-8"))
    assert committed == api.create(None).openapi() == machine.api.get("/openapi.json").json()


def test_so_is_that_of_the_simulation(machine: Machine) -> None:
    committed = json.loads((FOLDER / "simulation.openapi.json").read_text(encoding="utf-8"))
    assert committed == simulation.create(None).openapi() == machine.simulation.get("/openapi.json").json()


def test_the_contract_does_not_tell_that_it_is_simulated() -> None:
    text = (FOLDER / "openapi.json").read_text(encoding="utf-8").lower()
    assert not [word for word in ("simul", "speed", "seed") if word in text]


def test_the_fleet_follows_from_the_seed(start: Start) -> None:
    first = start().api.get("/v1/nodes").json()
    assert start().api.get("/v1/nodes").json() == first
    other = start(GPU_FLEET_SEED="other").api.get("/v1/nodes").json()
    assert [its["name"] for its in other["items"]] == [its["name"] for its in first["items"]]
    uuids = [gpu["uuid"] for nodes in (first, other) for node in nodes["items"] for gpu in node["gpus"]]
    assert len(set(uuids)) == len(uuids) == 56


def test_nodes_as_the_settings_name_them(environment: dict[str, str]) -> None:
    given = settings.read({**environment, "GPU_FLEET_NODES": "8xH100,1xL40S"})
    assert given.nodes == ((8, GpuType.H100), (1, GpuType.L40S))
    for wrong in ("", "8xH100,", "0xH100", "9xH100", "8xB200", "8H100", "8xh100", ",".join(["8xH100"] * 65)):
        with pytest.raises(ConfigurationError, match="GPU_FLEET_NODES is "):
            settings.read({**environment, "GPU_FLEET_NODES": wrong})
