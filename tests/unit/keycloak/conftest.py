"""A platform's identity before and after its first run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.tests.unit.keycloak.made_up_identity import Identity, new_identity


@pytest.fixture
def identity(tmp_path: Path) -> Iterator[Identity]:
    with new_identity(tmp_path) as made:
        yield made


@pytest.fixture
def settled(identity: Identity) -> Identity:
    """The same, after a first run."""
    identity.run()
    identity.keycloak.log.clear()
    return identity
