# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who connects to whom: what component.yml says of a component's needs and endpoints, as calls."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.references import names_in
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import Resolved

_INGRESS = "ingress"
"""The role of what leads public names to components."""


@dataclass(frozen=True, order=True)
class Call:
    """Component ``caller`` connects to port ``port``, by its name in component.yml, of component ``called``."""

    caller: str
    called: str
    port: str


def entries(resolved: Resolved) -> list[str]:
    """The components of a lane that public names lead to first."""
    return [name for name, service in sorted(resolved["services"].items()) if service["role"] == _INGRESS]


def calls(contract: Contract, resolved: Resolved) -> frozenset[Call]:
    """Every call between components of a lane, and no other.

    A component calls what it needs, and what it wants where the lane has it; itself, by the name that others call it; and,
    where a setting of it holds another's public name, the ingress. The ingress calls whatever has a public name.
    """
    return frozenset(Call(caller, called, port) for caller, called, ports in _said(contract, resolved) for port in ports)


def _said(contract: Contract, resolved: Resolved) -> Iterator[tuple[str, str, list[str]]]:
    """(caller, called, names of ports)"""
    services = resolved["services"]
    ports = {name: list(service.get("ports", ())) for name, service in services.items()}
    doors = entries(resolved)
    for name in services:
        yield name, name, ports[name]
        for needed in contract.services[name].needs_in(services):
            yield name, needed, ports[needed]
        for wanted in contract.services[name].wants:
            if wanted in services:
                yield name, wanted, ports[wanted]
        if names_another(contract, name, services):
            for door in doors:
                yield name, door, ports[door]
    for endpoint in resolved["endpoints"].values():
        called = endpoint["service"]
        for door in doors:
            yield door, called, [services[called]["main_port"]]


def names_another(contract: Contract, name: str, lane: Collection[str]) -> bool:
    """Whether a setting of a component in a lane refers to the public name of another."""
    for setting in contract.services[name].settings_in(lane).values():
        for reference in names_in(setting.value):
            match reference.split("."):
                case ["endpoints", endpoint, _part] if contract.endpoints[endpoint].service != name:
                    return True
    return False
