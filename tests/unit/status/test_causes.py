"""What the status calls the trouble, and what it says of those that wait for it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._status.causes import in_words, of_components, of_endpoints

CONTRACT: dict[str, Any] = {
    "services": {
        "ingress": {"role": "ingress", "needs": []},
        "store": {"needs": []},
        "migrate": {"needs": ["store"]},
        "api": {"needs": ["migrate"]},
        "web": {"needs": ["api"]},
        "mail": {"needs": []},
    },
    "endpoints": {"web": {"service": "web"}, "mail": {"service": "mail"}},
}


def row(name: str, blocker: str = "", starting: bool = True) -> dict[str, Any]:
    return {"name": name, "blocker": blocker, "starting": starting}


def endpoint(name: str, ok: bool = False) -> dict[str, Any]:
    return {"name": name, "url": f"https://{name}", "ok": ok, "now": "502"}


def waiting(*rows: dict[str, Any]) -> dict[str, list[str]]:
    return {found["name"]: found["waits_for"] for found in of_components(CONTRACT["services"], rows) if found["waits_for"]}


def test_who_needs_what_is_gone_waits_for_it_however_far_away() -> None:
    found = waiting(row("store", "no replicas", starting=False), row("migrate", "not complete"), row("api", "503"), row("web", "503"))
    assert found == {"migrate": ["store"], "api": ["store"], "web": ["store"]}


def test_what_cannot_become_ready_by_itself_is_trouble_of_its_own() -> None:
    found = waiting(row("store", "no replicas", starting=False), row("api", "no image", starting=False), row("web", "503"))
    assert found == {"web": ["api", "store"]}


def test_who_needs_nothing_that_is_in_trouble_waits_for_nobody() -> None:
    assert waiting(row("store"), row("mail", "503"), row("api", "503")) == {}


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [("web", ["web"]), ("store", ["store"]), ("ingress", ["ingress"]), ("mail", [])],
)
def test_an_endpoint_waits_for_what_serves_it(trouble: str, expected: list[str]) -> None:
    (found,) = of_endpoints(CONTRACT, [endpoint("web")], of_components(CONTRACT["services"], [row(trouble, "503")]))
    assert found["waits_for"] == expected


def test_an_endpoint_that_answers_waits_for_nothing() -> None:
    (found,) = of_endpoints(CONTRACT, [endpoint("web", ok=True)], [row("web", "503")])
    assert found["waits_for"] == []


def test_the_trouble_comes_first_and_what_waits_for_it_is_only_named() -> None:
    components = of_components(CONTRACT["services"], [row("api", "503"), row("web", "503"), row("store", "no replicas", starting=False)])
    endpoints = of_endpoints(CONTRACT, [endpoint("web"), endpoint("mail")], components)
    assert in_words(components, endpoints) == ["store: no replicas", "https://mail: 502", "waiting for that: api, web"]
