# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a contract and a mode must mean, beyond their shape."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.certificates import check_certificates
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.options import plain
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.placement import placement_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.references import names_in, service_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.values import looks_secret
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import graph


def check_contract(contract: Contract) -> None:
    """Every name leads somewhere, nothing needs or follows from itself, no secret is written out.

    Raises ParityError with all problems: CONTRACT_REFERENCE, CONTRACT_INVALID,
    CONTRACT_CYCLE, CONTRACT_SECRET_IN_SETTING, CONTRACT_SETTING_IN_SECRET.
    """
    problems = Problems()
    _names(contract, problems)
    _lanes(contract, problems)
    check_certificates(contract, problems)
    for name, service in contract.services.items():
        for key, setting in service.settings.items():
            if cause := looks_secret(key, setting):
                where = contract.source.where("services", name, "settings", key)
                problems.add("CONTRACT_SECRET_IN_SETTING", where, cause)
    problems.refuse()


def check_mode(contract: Contract, mode: Mode) -> None:
    """A mode speaks of components that there are, places them where they can be, and holds keys that its security mode allows.

    Raises ParityError: MODE_INVALID, SECURITY_REFUSED.
    """
    problems = Problems()
    for field, fault in mode.security.faults(contract.security, mode.domain):
        problems.add("SECURITY_REFUSED", mode.source.where(field), fault)
    for name, said in mode.exceptions.items():
        if name not in contract.services:
            known = ", ".join(sorted(contract.services))
            problems.add("MODE_INVALID", mode.source.where("placement", name), f"is no component of the platform; there are {known}")
            continue
        for key, cause in _misplaced(contract, mode, name, said):
            problems.add("MODE_INVALID", mode.source.where("placement", name, *key), cause)
    problems.refuse()


def _misplaced(contract: Contract, mode: Mode, name: str, said: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], str]]:
    """(key, cause) of everything that a mode says of a component which cannot be so."""
    service = contract.services[name]
    if "host" in said and not service.ports:
        yield ("host",), "has a host, and no port that anybody could reach there"
    if "provided_by" in said and "host" not in said and service.ports and mode.target == "compose":
        yield (), "lacks host: nothing in the project has its name"
    if "replicas" in said and not service.deployed.replicas:
        yield ("replicas",), f"has replicas, and its manifest is a {service.deployed.kind}"
    for key in ("storage", "storage_class"):
        if key in said and not service.deployed.storage:
            yield (key,), f"has {key}, and its manifest claims none"
    placed = placement_of(contract, mode, name)
    if "node_path" in placed and placed.get("replicas", 1) != 1:
        yield ("replicas",), "must be 1: its volume is a directory of one node"


def check_lane(contract: Contract, lane: str) -> None:
    """Raises ParityError CONTRACT_UNKNOWN_LANE."""
    if lane not in contract.lanes:
        known = ", ".join(sorted(plain(contract.lanes), key=lambda name: (len(contract.lanes[name]), name)))
        raise ParityError("CONTRACT_UNKNOWN_LANE", f"lane {lane!r}; known are: {known}")


def _names(contract: Contract, problems: Problems) -> None:
    where = contract.source.where
    hosts: dict[str, str] = {}
    for name, endpoint in contract.endpoints.items():
        other = hosts.setdefault(endpoint.name, name)
        if other != name:
            problems.add("CONTRACT_INVALID", where("endpoints", name), f"is named {endpoint.name}, as endpoint {other} is")
        service = contract.services[endpoint.service]
        if not service.main_port:
            cause = "has several ports, and no main_port says which one" if service.ports else "has no port"
            problems.add("CONTRACT_INVALID", where("endpoints", name), f"leads to {endpoint.service}, which {cause}")
    owners = _owners(contract)
    for name, service in contract.services.items():
        if service.main_port and service.main_port not in service.ports:
            known = ", ".join(service.ports) or "none"
            problems.add("CONTRACT_REFERENCE", where("services", name, "main_port"), f"no port {service.main_port}; there are {known}")
        for key, secret in service.secrets.items():
            if secret not in contract.secrets:
                problems.add("CONTRACT_REFERENCE", where("services", name, "secrets", key, "secret"), f"no secret {secret} is defined")
        for index, needed in enumerate(service.needs):
            if needed not in contract.services:
                problems.add("CONTRACT_REFERENCE", where("services", name, "needs", index), f"no component {needed}")
        if service.exceptions.publish and not service.main_port:
            cause = "has several ports, and no main_port says which one" if service.ports else "is published, and has no port"
            problems.add("CONTRACT_INVALID", service.exceptions.where("publish"), cause)
        for place, container in (*_resets(contract, name), *_waits(contract, name)):
            if container not in owners:
                problems.add("CONTRACT_REFERENCE", place, f"no container or component {container}")
    variables = {key for service in contract.services.values() for key in service.settings}
    for name in contract.secrets:
        if name.upper() in variables:
            problems.add("CONTRACT_SETTING_IN_SECRET", where("secrets", name), f"is the name of a setting too, {name.upper()}")
    for fault in graph.faults(contract.secrets):
        problems.add(fault.reason, where("secrets", fault.name, fault.field), fault.text)


def _lanes(contract: Contract, problems: Problems) -> None:
    where = contract.source.where
    if contract.defaults["lane"] not in contract.lanes:
        known = ", ".join(sorted(plain(contract.lanes)))
        problems.add("CONTRACT_REFERENCE", where("defaults", "lane"), f"no lane {contract.defaults['lane']}; there are {known}")
    for lane, services in contract.lanes.items():
        for name in sorted(services):
            for place, needed in _needs(contract, name, services):
                if needed not in services:
                    problems.add("CONTRACT_REFERENCE", place, f"needs {needed}, which lane {lane} does not have")
    _cycles(contract, problems)
    for name in sorted(set(contract.services) - {service for lane in contract.lanes.values() for service in lane}):
        problems.add("CONTRACT_INVALID", where("services", name), "is in no lane; add it to one, or to `without` of platform.yml")


def _cycles(contract: Contract, problems: Problems) -> None:
    """Components that need each other: none of them could be the first to be ready."""
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            circle = " -> ".join((*trail[trail.index(name) :], name))
            problems.add("CONTRACT_CYCLE", contract.source.where("services", name, "needs"), circle)
        elif name not in done:
            for needed in contract.services[name].needs:
                if needed in contract.services:
                    visit(needed, (*trail, name))
            done.add(name)

    for name in contract.services:
        visit(name, ())


def _needs(contract: Contract, name: str, lane: Collection[str]) -> Iterator[tuple[str, str]]:
    """(place, component) of every known component that one cannot do without in a lane."""
    yield from _references(contract, name, lane)
    owners = _owners(contract)
    for place, container in (*_resets(contract, name), *_waits(contract, name)):
        if container in owners:
            yield place, owners[container]
    for index, needed in enumerate(contract.services[name].needs):
        if needed in contract.services:
            yield contract.source.where("services", name, "needs", index), needed


def _references(contract: Contract, name: str, lane: Collection[str]) -> Iterator[tuple[str, str]]:
    """(place, component) of every known component that a component's own values refer to in a lane."""
    service = contract.services[name]
    values: list[tuple[Path, object]] = [(("services", name, "ports", key), value) for key, value in service.ports.items()]
    values += [(("services", name, "settings", key, "value"), item.value) for key, item in service.settings_in(lane).items()]
    values += [
        (("services", name, "certificates", key, "names", index), text)
        for key, certificate in service.certificates.items()
        for index, text in enumerate(certificate.names)
    ]
    for path, value in values:
        for reference in names_in(value):
            needed = service_of(reference, contract)
            if needed in contract.services:
                yield contract.source.where(*path), needed


def _owners(contract: Contract) -> dict[str, str]:
    """The component of every container that there can be: workloads, Jobs, and what only Compose runs."""
    owners: dict[str, str] = {}
    for name, service in contract.services.items():
        owners |= dict.fromkeys((name, *service.deployed.jobs, *service.exceptions.containers), name)
    return owners


def _resets(contract: Contract, name: str) -> Iterator[tuple[str, str]]:
    """(place, container) of everything that the reset of a component names."""
    reset = contract.services[name].reset
    if "in" in reset:
        yield contract.source.where("services", name, "reset", "in"), reset["in"]
    for index, container in enumerate(reset.get("fill", ())):
        yield contract.source.where("services", name, "reset", "fill", index), container


def _waits(contract: Contract, name: str) -> Iterator[tuple[str, str]]:
    """(place, container) of everything that the containers of a compose.yml come after, and what they run as."""
    exceptions = contract.services[name].exceptions
    for container, said in exceptions.containers.items():
        if said.of:
            yield exceptions.where("containers", container, "of"), said.of
        for index, waited in enumerate(said.after):
            yield exceptions.where("containers", container, "after", index), waited
