"""An empty fleet for each test."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gpu_fleet import settings
from support.machine import TOKEN, Machine, machines

type Start = Callable[..., Machine]


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Commands configure the root logger, onto a stream that ends with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings, as the contract names them."""
    credentials, data = tmp_path / "credentials", tmp_path / "data"
    credentials.mkdir()
    data.mkdir()
    (credentials / "controller_token").write_text(f"{TOKEN}\n")
    return {
        "GPU_FLEET_LOG_LEVEL": "info",
        "GPU_FLEET_HOST": "127.0.0.1",
        "GPU_FLEET_LISTEN_PORT": "8443",
        "GPU_FLEET_PROBE_PORT": "9000",
        "GPU_FLEET_SIMULATION_PORT": "8089",
        "GPU_FLEET_CA_FILE": str(tmp_path / "certificate" / "ca.crt"),
        "GPU_FLEET_CERTIFICATE": str(tmp_path / "certificate"),
        "GPU_FLEET_CREDENTIALS": str(credentials),
        "GPU_FLEET_DATA": str(data),
        "GPU_FLEET_FAULTS_FILE": str(data / "faults.json"),
        "GPU_FLEET_NODES": "8xH100,8xH100,8xA100,4xL40S",
        "GPU_FLEET_SEED": "test",
        "GPU_FLEET_SPEED": "1",
        "GPU_FLEET_ATTACH_TIME": "8s",
        "GPU_FLEET_START_TIME": "40s",
        "GPU_FLEET_VERIFY_TIME": "20s",
        "GPU_FLEET_STOP_TIME": "10s",
        "GPU_FLEET_RELEASE_TIME": "4s",
    }


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Start a machine with changed settings; one that is started later finds the data of the one before."""
    wall = [1_800_000_000.0]
    with machines() as starting:
        before: list[Machine] = []

        def started(**changes: str) -> Machine:
            if before:
                before.pop().close()
            before.append(starting(settings.read({**environment, **changes}), wall))
            return before[0]

        yield started


@pytest.fixture
def machine(start: Start) -> Machine:
    return start()
