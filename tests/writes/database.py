"""The way into the database of a platform that is up, past everything that is under test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import testinfra
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.tests.acceptance.running import Running as Cluster
from ansible_collections.gpuaas.parity.tests.local_dev.running import Running as Project


def sql_of(state_dir: Path) -> Callable[[str], str]:
    """A function from a statement to what it prints, as the superuser."""
    contract = read_contract(state_dir)
    if contract["target"] == "compose":
        return Project.load(state_dir).sql
    return Cluster(testinfra.get_host("local://"), state_dir, contract).sql
