# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postgres promises no connection twice, and a client's pools hold no more than its role may have."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.tests.unit.contract.reference import LANES, PLATFORM

# superuser_reserved_connections, Postgres' default.
RESERVED = 3
# go.temporal.io/server, temporal.Services: frontend, internal frontend, history, matching, worker.
SERVICES = 5


def promised() -> dict[str, int]:
    """What POSTGRES_ROLE_CONNECTIONS gives each role."""
    said = PLATFORM.contract.services["postgres"].settings["POSTGRES_ROLE_CONNECTIONS"].value
    return {name: int(number) for name, number in (word.split("=") for word in str(said).split())}


def roles(lane: str) -> set[str]:
    """Whoever shares a password with the database."""
    members = set(PLATFORM.contract.lanes[lane])
    keys = PLATFORM.contract.services["postgres"].secrets_in(members, "LOCAL")
    return {key.removesuffix("_password") for key in keys} - {"superuser"}


@pytest.mark.parametrize("lane", LANES)
def test_every_role_of_a_lane_can_have_its_connections_at_once(lane: str) -> None:
    numbers = promised()
    most = int(str(PLATFORM.contract.services["postgres"].settings["POSTGRES_MAX_CONNECTIONS"].value))
    assert RESERVED + sum(numbers.get(role, numbers["others"]) for role in roles(lane)) <= most


def test_the_pools_of_temporal_fit_its_roles() -> None:
    """Each service opens pools of its own (go.temporal.io/server, common/persistence/client/fx.go: one factory for each service)."""
    text = (PLATFORM.components["temporal"].folder / "kubernetes" / "server.yaml").read_text()
    said: dict[str, Any] = yaml.safe_load(text)
    numbers = promised()
    pools = {name: int(store["sql"]["maxConns"]) for name, store in said["persistence"]["datastores"].items()}
    assert pools.keys() == {"temporal", "temporal_visibility"}
    # And one that looks at the schema's version.
    assert {name: numbers[name] for name in pools} == {name: SERVICES * most + 1 for name, most in pools.items()}
