"""What is planted and found is told, and so is a place in which nothing was found that is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.tests.canary.plant import Planted
from ansible_collections.gpuaas.parity.tests.canary.search import Place, search

PLANTED = Planted(
    {"tenant": "canary-0f3c9a1b27d84e56", "person": "person-6e1d2c3b4a5f6071"},
    {"name": "marked-99aa88bb77cc66dd", "instance": "4d6f7e8a-1111-4222-8333-944455566677"},
    Path("/nowhere"),
)


def texts(*names: str) -> bytes:
    """A place that has these words."""
    return b" ".join({**PLANTED.secret, **PLANTED.plain}[name].encode() for name in names)


@pytest.mark.parametrize(
    ("place", "has", "names", "told"),
    [
        ("logs", "instance", ["instance"], []),
        ("logs", "", [], []),
        ("logs", "instance", [], ["logs was searched in vain for its instance"]),
        ("logs", "instance", ["instance", "tenant"], ["logs has the tenant that was planted"]),
        ("logs", "", ["person"], ["logs has the person that was planted"]),
        ("database keycloak", "person", ["person"], []),
        ("database keycloak", "person", ["person", "tenant"], ["database keycloak has the tenant that was planted"]),
        ("database gpuaas", "name", ["name", "instance"], []),
        ("database temporal", "instance", ["instance"], []),
        ("database temporal", "instance", ["name", "instance"], ["database temporal has the name that was planted"]),
    ],
)
def test_findings(place: str, has: str, names: list[str], told: list[str]) -> None:
    assert search([Place(place, has, lambda: [texts(*names)])], PLANTED) == told
