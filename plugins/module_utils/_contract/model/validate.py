# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a contract and a mode must mean, beyond their shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.references import names_in, service_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.values import looks_secret
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


def check_contract(contract: Contract) -> None:
    """Every name leads somewhere, lanes nest, no secret is written out.

    Raises ParityError with all problems: CONTRACT_REFERENCE, CONTRACT_INVALID,
    CONTRACT_SECRET_IN_SETTING.
    """
    problems = Problems()
    _names(contract, problems)
    _lanes(contract, problems)
    for name, service in contract.services.items():
        for key, setting in service.settings.items():
            if cause := looks_secret(key, setting):
                where = contract.source.where("services", name, "settings", key)
                problems.add("CONTRACT_SECRET_IN_SETTING", where, cause)
    problems.refuse()


def check_mode(contract: Contract, mode: Mode) -> None:
    """A mode speaks of exactly the contract's services and endpoints. Raises ParityError MODE_INVALID."""
    problems = Problems()
    parts = (
        (("transport", "endpoints"), set(mode.endpoints), set(contract.endpoints)),
        (("transport", "services"), set(mode.hosts), set(contract.services)),
        (("placement",), set(mode.placement), set(contract.services)),
    )
    for path, said, wanted in parts:
        for name in sorted(wanted - said):
            problems.add("MODE_INVALID", mode.source.where(*path), f"lacks {name}, which the contract has")
        for name in sorted(said - wanted):
            problems.add("MODE_INVALID", mode.source.where(*path, name), "is not in the contract")
    published: dict[object, str] = {}
    for name, placed in mode.placement.items():
        port = placed.get("publish", name)
        if (other := published.setdefault(port, name)) != name:
            problems.add("MODE_INVALID", mode.source.where("placement", name, "publish"), f"{port} is {other}'s already")
    problems.refuse()


def check_lane(contract: Contract, lane: str) -> None:
    """Raises ParityError CONTRACT_UNKNOWN_LANE."""
    if lane not in contract.lanes:
        known = ", ".join(sorted(contract.lanes, key=lambda name: (len(contract.lanes[name]), name)))
        raise ParityError("CONTRACT_UNKNOWN_LANE", f"lane {lane!r}; known are: {known}")


def _names(contract: Contract, problems: Problems) -> None:
    where = contract.source.where
    for name, endpoint in contract.endpoints.items():
        if endpoint.service not in contract.services:
            problems.add("CONTRACT_REFERENCE", where("endpoints", name, "service"), f"no service {endpoint.service}")
    for host, count in Counter(endpoint.name for endpoint in contract.endpoints.values()).items():
        if count > 1:
            problems.add("CONTRACT_INVALID", where("endpoints"), f"{count} endpoints are named {host}")
    for name, service in contract.services.items():
        for key, secret in service.secrets.items():
            if secret not in contract.secrets:
                problems.add("CONTRACT_REFERENCE", where("services", name, "secrets", key), f"no secret {secret}")


def _lanes(contract: Contract, problems: Problems) -> None:
    where = contract.source.where
    for lane, services in contract.lanes.items():
        for index, name in enumerate(services):
            if name not in contract.services:
                problems.add("CONTRACT_REFERENCE", where("lanes", lane, index), f"no service {name}")
        for name in sorted(set(services) & set(contract.services)):
            for place, needed in _needs(contract, name):
                if needed not in services:
                    problems.add("CONTRACT_REFERENCE", place, f"needs {needed}, which lane {lane} does not have")
    ordered = sorted(contract.lanes.items(), key=lambda item: (len(item[1]), item[0]))
    for (small, few), (large, many) in combinations(ordered, 2):
        if missing := sorted(set(few) - set(many)):
            problems.add("CONTRACT_INVALID", where("lanes", large), f"lacks {', '.join(missing)} of the smaller lane {small}")
    for name in sorted(set(contract.services) - {service for lane in contract.lanes.values() for service in lane}):
        problems.add("CONTRACT_INVALID", where("services", name), "is in no lane")


def _needs(contract: Contract, name: str) -> Iterator[tuple[str, str]]:
    """(place, service) of every known service that a service's own values refer to."""
    service = contract.services[name]
    values: list[tuple[Path, object]] = [(("services", name, "port"), service.port)]
    values += [(("services", name, "settings", key), item.value) for key, item in service.settings.items()]
    for path, value in values:
        for reference in names_in(value):
            needed = service_of(reference, contract)
            if needed in contract.services:
                yield contract.source.where(*path), needed
