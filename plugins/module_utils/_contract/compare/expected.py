# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rendering must say, with references where a mode's own values belong.

Built from the platform's folder alone and not from what was rendered: a rendering is compared with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.observe import pod_variables
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.runs import Facts, excepted, further, of_pod
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.certificates import resolve_certificates
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode, Service
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import items
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.placement import is_provided, placement_of, said_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import Pod, pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.references import Scope, scope_of, split
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import identity_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.identity import AT, is_secrets

Variables = dict[str, dict[str, str]]
Leaves = dict[Path, Any]
"""Every scalar of a document by its path; an empty mapping or list is a leaf too."""


@dataclass(frozen=True)
class Side:
    """One mode, and the values of its names."""

    mode: Mode
    scope: Scope

    @classmethod
    def of(cls, contract: Contract, mode: Mode) -> Side:
        """The mode's side of a comparison."""
        return cls(mode, scope_of(contract, mode))

    def identity(self, contract: Contract, name: str) -> str:
        """The server that a component logs in to in this mode; empty where it reads files."""
        return identity_of(contract, self.mode, name, self.scope)

    def spliced(self, expression: str) -> str:
        """``expression`` with this mode's value in the place of each name, and nothing else changed."""
        return "".join(self.scope.expand(f"${{{part}}}", "a comparison") if named else part for part, named in split(expression))


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The leaves of a document, in its own order."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def meant(contract: Contract, lane: str) -> Leaves:
    """contract.json, but for what the mode itself places: literals as they are, the rest as expressions."""
    members = set(contract.lanes[lane])
    endpoints = {
        name: {
            "service": endpoint.service,
            "health": endpoint.health,
            "purpose": endpoint.purpose,
            **{part: f"${{endpoints.{name}.{part}}}" for part in ("host", "port", "scheme", "url")},
        }
        for name, endpoint in contract.endpoints.items()
        if endpoint.service in members
    }
    services = {
        name: {
            "role": service.role,
            **({"image": service.image} if service.image else {}),
            "workload": f"{service.deployed.kind.lower()}/{name}",
            **({"host": f"${{services.{name}.host}}", "ports": service.ports} if service.ports else {}),
            **({"main_port": service.main_port} if service.main_port else {}),
            "needs": list(service.needs_in(members)),
            "settings": settings(contract, name, members),
            "types": {key: setting.type for key, setting in service.settings_in(members).items()},
            "secrets": {key: secret for key, secret in service.secrets_in(members, "").items() if key not in service.held_in},
            **({"keeps_secrets": True} if service.keeps_secrets else {}),
            **({"certificates": _usages(service)} if service.certificates else {}),
        }
        for name, service in contract.services.items()
        if name in members
    }
    whole = {
        "contract": 1,
        "lane": lane,
        "domain": "${domain}",
        "public_port": "${public_port}",
        "endpoints": endpoints,
        "services": services,
        "secrets": contract.secrets,
    }
    return dict(leaves(whole))


def _usages(service: Service) -> dict[str, Any]:
    return {key: {"usage": certificate.usage} for key, certificate in service.certificates.items()}


def is_expression(path: Path) -> bool:
    """Whether references are replaced at this path of contract.json; elsewhere a text is a text."""
    match path:
        case ("domain",) | ("public_port",) | ("services", _, "settings", _) | ("services", _, "host") | ("services", _, "ports", _):
            return True
        case ("endpoints", _, "host" | "port" | "scheme" | "url"):
            return True
    return False


def settings(contract: Contract, service: str, lane: Collection[str]) -> dict[str, str]:
    """The variables of a service in a lane as text, with references: ``true``, ``8000``, ``${endpoints.web.url}``."""
    found = contract.services[service].settings_in(lane)
    return {key: str(item.value).lower() if isinstance(item.value, bool) else str(item.value) for key, item in found.items()}


def placed(contract: Contract, side: Side, services: set[str]) -> Leaves:
    """The part of contract.json that the mode alone says: its target, where each service is and by which names it serves."""
    mode = side.mode
    found: Leaves = {("mode",): mode.name, ("target",): mode.target}
    found |= {(key,): value for key, value in said_of(mode).items()}
    for name in services:
        service = contract.services[name]
        identity = side.identity(contract, name)
        if identity:
            found["services", name, "identity"] = identity
        held_in = "" if identity else mode.security.mode
        held = {key: secret for key, secret in service.secrets_in(services, held_in).items() if key in service.held_in}
        found |= {("services", name, "secrets", key): secret for key, secret in held.items()}
    for name in services:
        for key, value in placement_of(contract, mode, name).items():
            # A published port may be an endpoint's.
            found |= dict(leaves(int(side.spliced(str(value))) if key == "publish" else value, ("services", name, key)))
        for key, certificate in resolve_certificates(name, contract, mode, side.scope).items():
            for index, host in enumerate(certificate.get("names", ())):
                found[("services", name, "certificates", key, "names", index)] = host
    return found


def own_variables(platform: Platform, mode: Mode) -> tuple[Variables, Variables]:
    """Variables beside the contract's, by component: what its manifest states, and what mounting its source brings."""
    own: Variables = {}
    sourced: Variables = {}
    for name, component in sorted(platform.components.items()):
        if not is_provided(mode, name):
            own[name] = pod_variables(component.base, name)
            if mode.target == "compose" and component.exceptions.source:
                sourced[name] = component.exceptions.source.environment
    return own, sourced


def runs(platform: Platform, side: Side) -> dict[str, dict[str, Facts]]:
    """How the containers of each component run in a mode: as its manifests say, and in Compose as the exceptions say."""
    found: dict[str, dict[str, Facts]] = {}
    for name, component in platform.components.items():
        if is_provided(side.mode, name):
            continue
        pods = _pods(platform, side, component)
        if side.mode.target != "compose":
            found[name] = pods
            continue
        found[name] = {pod: excepted(facts, component.exceptions, main=pod == name) for pod, facts in pods.items()}
        for container, said in component.exceptions.containers.items():
            if container not in pods:
                found[name][container] = further(_base_of(platform, side, component, said.of), said)
    return found


def _pods(platform: Platform, side: Side, component: Component) -> dict[str, Facts]:
    contract = platform.contract
    given = {key: side.spliced(value) for key, value in settings(contract, component.name, platform.components).items()}
    ports = {key: int(side.spliced(str(value))) for key, value in contract.services[component.name].ports.items()}
    found = {name: of_pod(pod, given, ports) for name, pod in pods_of(component.base).items()}
    if side.mode.target == "compose" and side.identity(contract, component.name):
        found = {
            name: facts | {"mounts": _redirected(pods_of(component.base)[name], component.name, facts)} for name, facts in found.items()
        }
    return found


def _redirected(pod: Pod, component: str, facts: Facts) -> dict[str, str]:
    """Where a container has what its pod mounts, once an identity is in the place of its secrets; in a cluster patches do that."""
    of_secrets = {str(volume["name"]) for volume in items(pod.spec, "volumes") if is_secrets(volume, component)}
    moved = {str(mount["mountPath"]) for mount in items(pod.container, "volumeMounts") if mount.get("name") in of_secrets}
    return {AT if path in moved else path: what for path, what in facts["mounts"].items()}


def _base_of(platform: Platform, side: Side, component: Component, of: str) -> Facts:
    """The facts that a container that only Compose runs begins with: source is mounted into the component's own."""
    other = platform.components[of] if of else component
    exceptions = other.exceptions if other is component else replace(other.exceptions, source=None)
    return excepted(_pods(platform, side, other)[other.name], exceptions, main=False)
