# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contract + mode + lane -> one document of plain values, the same on every machine."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.certificates import check_names, resolve_certificates
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode, Service
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.keeper import own_source, server_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.placement import placement_of, said_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.references import Scope, names_in, scope_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.validate import (
    check_contract,
    check_lane,
    check_mode,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.values import (
    is_hostname,
    is_path,
    is_port,
    is_url,
    render_setting,
)

Resolved = dict[str, Any]


def resolve(contract: Contract, mode: Mode) -> Resolved:
    """Every component of every lane as plain values, so that no lane is green by leaving the defect out.

    Raises ParityError: CONTRACT_REFERENCE, CONTRACT_INVALID, CONTRACT_SECRET_IN_SETTING, MODE_INVALID,
    CONTRACT_CYCLE, CONTRACT_TYPE.
    """
    check_contract(contract)
    check_mode(contract, mode)
    scope = scope_of(contract, mode)
    problems = Problems()
    services = {name: _service(name, contract, mode, scope, problems) for name in sorted(contract.services)}
    endpoints = {name: _endpoint(name, contract, scope, problems) for name in sorted(contract.endpoints)}
    _check_mode_values(scope, problems)
    _check_addresses(services, contract, mode, problems)
    problems.refuse()
    return {
        "contract": 1,
        "mode": mode.name,
        "target": mode.target,
        **said_of(mode),
        "domain": mode.domain,
        "public_port": mode.port,
        "endpoints": endpoints,
        "services": services,
        "secrets": {name: dict(sorted(value.items())) for name, value in sorted(contract.secrets.items())},
    }


def of_lane(whole: Resolved, contract: Contract, lane: str) -> Resolved:
    """The document that rendered/contract.json holds: what ``resolve`` found, without what a lane does not have.

    It keeps every secret's name: which secrets exist does not depend on the lane, so that changing lanes never
    drops one. Raises ParityError CONTRACT_UNKNOWN_LANE.
    """
    check_lane(contract, lane)
    members = set(contract.lanes[lane])
    return whole | {
        "lane": lane,
        "endpoints": {name: value for name, value in whole["endpoints"].items() if value["service"] in members},
        "services": {
            name: value | _in_lane(value, contract.services[name], members, whole.get("security", ""))
            for name, value in whole["services"].items()
            if name in members
        },
    }


def _in_lane(resolved: Resolved, service: Service, lane: set[str], security: str) -> Resolved:
    """What of a component depends on which others there are."""
    settings = service.settings_in(lane)
    # Where a server has the secrets, none is for some security modes alone.
    held = "" if "identity" in resolved else security
    return {
        "needs": list(service.needs_in(lane)),
        "secrets": dict(sorted(service.secrets_in(lane, held).items())),
        **{part: {key: value for key, value in resolved[part].items() if key in settings} for part in ("settings", "types")},
    }


def as_json(document: Any) -> bytes:
    """Canonical bytes: sorted keys, two spaces, one newline at the end."""
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _service(name: str, contract: Contract, mode: Mode, scope: Scope, problems: Problems) -> dict[str, Any]:
    service = contract.services[name]
    check_names(name, contract, mode, scope, problems)
    certificates = resolve_certificates(name, contract, mode, scope)
    identity = identity_of(contract, mode, name, scope)
    return {
        "role": service.role,
        **({"image": service.image} if service.image else {}),
        "workload": f"{service.deployed.kind.lower()}/{name}",
        **(_address(name, contract, scope, problems) if service.ports else {}),
        "needs": list(service.needs),
        **_placement(name, contract, mode, scope, problems),
        "settings": _settings(name, service, contract, scope, problems),
        "types": {key: setting.type for key, setting in sorted(service.settings.items())},
        "secrets": dict(sorted(service.secrets_in(contract.services, "" if identity else mode.security.mode).items())),
        **({"identity": identity} if identity else {}),
        **({"keeps_secrets": True} if service.keeps_secrets else {}),
        **({"certificates": certificates} if certificates else {}),
    }


def identity_of(contract: Contract, mode: Mode, name: str, scope: Scope) -> str:
    """The server that a component logs in to with an identity of its own, which is its tokens' audience; empty where it reads files."""
    if not contract.services[name].asks:
        return ""
    return server_of(scope.expand(own_source(name), scope.expressions["secrets_source"].where))


def _address(name: str, contract: Contract, scope: Scope, problems: Problems) -> dict[str, Any]:
    """The host of a component and its ports, as numbers."""
    key = f"services.{name}.host"
    where = scope.expressions[key].where
    host = scope.expand(f"${{{key}}}", where)
    if not is_hostname(host):
        problems.add("CONTRACT_TYPE", where, "must be a host name")
    ports = {}
    for port in contract.services[name].ports:
        at = contract.source.where("services", name, "ports", port)
        number = scope.expand(f"${{services.{name}.ports.{port}}}", at)
        if not is_port(number):
            problems.add("CONTRACT_TYPE", at, "must lead to a port, 1 to 65535")
        ports[port] = int(number) if is_port(number) else 0
    main = contract.services[name].main_port
    return {"host": host, "ports": ports, **({"main_port": main} if main else {})}


def _placement(name: str, contract: Contract, mode: Mode, scope: Scope, problems: Problems) -> dict[str, Any]:
    """How the mode places a component, with the published port as a number."""
    placed = placement_of(contract, mode, name)
    if "publish" in placed:
        where = contract.services[name].exceptions.where("publish", "port")
        port = scope.expand(str(placed["publish"]), where)
        if not is_port(port):
            problems.add("CONTRACT_TYPE", where, "must lead to a port, 1 to 65535")
        placed["publish"] = int(port) if is_port(port) else 0
    return placed


def _settings(name: str, service: Service, contract: Contract, scope: Scope, problems: Problems) -> dict[str, str]:
    rendered = {}
    for key, setting in sorted(service.settings.items()):
        where = contract.source.where("services", name, "settings", key, "value")
        text, problem = render_setting(setting, scope.expand(str(setting.value), where))
        if problem:
            # Where the value is the mode's, so is the mistake.
            given = "; ".join(f"{scope.expressions[found].where} gives it" for found in dict.fromkeys(names_in(setting.value)))
            problems.add("CONTRACT_TYPE", where, f"{problem}; {given}" if given else problem)
        rendered[key] = text
    return rendered


def _endpoint(name: str, contract: Contract, scope: Scope, problems: Problems) -> dict[str, Any]:
    endpoint = contract.endpoints[name]
    where = contract.source.where("endpoints", name)
    host, port, scheme, url = (scope.expand(f"${{endpoints.{name}.{part}}}", where) for part in ("host", "port", "scheme", "url"))
    if not is_hostname(host):
        problems.add("CONTRACT_TYPE", where, "must have a host name")
    if not is_port(port):
        problems.add("CONTRACT_TYPE", where, "must have a port, 1 to 65535")
    return {
        "service": endpoint.service,
        "host": host,
        "port": int(port) if is_port(port) else 0,
        "scheme": scheme,
        "url": url,
        "health": endpoint.health,
        "purpose": endpoint.purpose,
    }


def _check_mode_values(scope: Scope, problems: Problems) -> None:
    for key, holds, wanted in (
        ("ca_file", is_path, "an absolute path without . and .."),
        ("secrets_source", is_url, "an absolute URL without user and password"),
    ):
        where = scope.expressions[key].where
        if not holds(scope.expand(f"${{{key}}}", where)):
            problems.add("CONTRACT_TYPE", where, f"must be {wanted}")


def _check_addresses(services: dict[str, dict[str, Any]], contract: Contract, mode: Mode, problems: Problems) -> None:
    """Two components at one address, or published on one port: one of them would be reached in place of the other."""
    published: dict[int, str] = {}
    taken: dict[tuple[str, int], str] = {}
    for name, service in services.items():
        for port in service.get("ports", {}).values():
            other = taken.setdefault((service["host"], port), name)
            if other != name:
                problems.add("MODE_INVALID", mode.source.where("placement", name), f"{service['host']}:{port} is where {other} is")
        other = published.setdefault(service["publish"], name) if service.get("publish") else name
        if other != name:
            where = contract.services[name].exceptions.where("publish", "port")
            problems.add("CONTRACT_INVALID", where, f"{service['publish']} is {other}'s already")
