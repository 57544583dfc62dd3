"""An empty fleet for each test."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gpu_fleet import settings
from support.environment import environ
from support.machine import Machine, machines

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
    return environ(tmp_path)


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
