"""Acceptance tests look at a platform that is up, from outside: files, Docker, kubectl, sockets."""

from __future__ import annotations

import pytest
import testinfra
from testinfra.host import Host

from .running import Running


@pytest.fixture(scope="session")
def machine() -> Host:
    """The machine that the platform runs on, which is this one."""
    return testinfra.get_host("local://")


@pytest.fixture(scope="session")
def running(machine: Host) -> Running:
    """The platform under test; without one there is nothing to test, which is a failure."""
    try:
        return Running.load(machine)
    except FileNotFoundError as error:
        pytest.exit(f"{error.filename} is missing: make kind-parity-up", returncode=1)
