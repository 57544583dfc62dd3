# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a mode puts a component: its manifests say it, the mode file holds what differs."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.instance import port_of

# A directory of the one node for each component that keeps something; a cluster of our own binds volumes to it at once.
_NODE_DIRECTORIES = "/var/local/gpuaas"
# Of an instance's block of ports the first two are those of its endpoints.
_PUBLIC_PORTS = 2
# Reserved for private use, never delegated (ICANN Board, 29 July 2024): a CA that vouches below it vouches for nobody else.
_PRIVATE = "internal"


def host_of(contract: Contract, mode: Mode, name: str) -> str:
    """The host name that a component is reached by in a mode, empty where nobody connects to it.

    In Compose the component's name, and one in a private domain where it shows a certificate: a name of one label may
    be a top-level domain, and a CA that vouches for it would vouch for all below.
    """
    component, said = contract.services[name], mode.exceptions.get(name, {})
    if not component.ports:
        return ""
    if "host" in said:
        return str(said["host"])
    if mode.target == "compose":
        return f"{name}.{mode.head.project}.{_PRIVATE}" if any(one.serves for one in component.certificates.values()) else name
    return component.deployed.cluster_host


def placement_of(contract: Contract, mode: Mode, name: str) -> dict[str, Any]:
    """Everything that a mode says of a component's place, derived and excepted, sorted by key."""
    said = {key: value for key, value in mode.exceptions.get(name, {}).items() if key != "host"}
    if "provided_by" in said:
        return dict(sorted(said.items()))
    if mode.target == "compose":
        return _in_compose(contract, mode, name)
    found = contract.services[name].deployed
    derived: dict[str, Any] = {"namespace": found.namespace}
    if found.replicas:
        derived["replicas"] = found.replicas
    if found.storage:
        derived["storage"] = found.storage
        if mode.target == "kubernetes" and "storage_class" not in said:
            derived["node_path"] = f"{_NODE_DIRECTORIES}/{name}"
    return dict(sorted((derived | said).items()))


def _in_compose(contract: Contract, mode: Mode, name: str) -> dict[str, Any]:
    """What of a component is for those who look at the machine: its port there, its source, what a reset does."""
    service = contract.services[name]
    publish, source = service.exceptions.publish, service.exceptions.source
    found = {
        "publish": _published(contract, mode, name, publish.port) if publish else None,
        "source": source.folder if source else None,
        "reset": service.reset or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _published(contract: Contract, mode: Mode, name: str, port: str | int) -> str | int:
    """The port itself; in an instance a number becomes one of the instance's own, after the public ones."""
    publish = {other: service.exceptions.publish for other, service in contract.services.items()}
    numbers = sorted(other for other, said in publish.items() if said and isinstance(said.port, int))
    return port_of(port, mode.head.instance, _PUBLIC_PORTS + numbers.index(name)) if isinstance(port, int) else port


def said_of(mode: Mode) -> dict[str, str]:
    """What a mode says of itself besides its name and target: its tier, its security mode, and what its cluster, project and
    instance are called."""
    head, security = mode.head, mode.security
    names = {"instance": head.instance, "cluster": head.cluster, "project": head.project}
    names |= {"security": security.mode, "asked_security": security.asked}
    return {"tier": head.tier} | {key: value for key, value in names.items() if value}


def is_provided(mode: Mode, name: str) -> bool:
    """Whether the mode's surroundings do a component's job, so that nothing of it is deployed."""
    return "provided_by" in mode.exceptions.get(name, {})
