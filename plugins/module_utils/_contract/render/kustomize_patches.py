# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an overlay sets in a role's objects: all that a plain manifest cannot say for every mode."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import WORKLOADS, Manifest, dig
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.check_manifests import RoleCheck
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.identity import identities
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.json_patch import json_patch
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.ports import PortPlace, port_place
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml

# Below it a process needs a right that restricted pods do not have; the kernel's own bound.
_FIRST_FREE_PORT = 1024
_SYSCTL = {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}


class Dumper(yaml.SafeDumper):
    """Lists indented, text of several lines as a block."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


Dumper.add_representer(str, _text)


def patches(role: RoleCheck, moved: Collection[str], *, shared: bool) -> list[dict[str, Any]]:
    """Every patch of a role's overlay, in a stable order; ``shared`` is for a cluster that is not our own.

    The Ingress objects of endpoints that are ``moved`` stand in the overlay of the ingress.
    """
    gone = [manifest for manifest in role.base.of_kind("Ingress") if manifest.name in moved]
    return [*_ports(role, shared), *map(_removal, gone), *_hosts(role, moved), *_storage(role), *identities(role)]


def _removal(manifest: Manifest) -> dict[str, Any]:
    """Leaves an object of the base out (kubectl.docs.kubernetes.io, "patches")."""
    meta = {"name": manifest.name, "namespace": manifest.namespace}
    gone = {"apiVersion": manifest.data["apiVersion"], "kind": manifest.kind, "metadata": meta, "$patch": "delete"}
    return {"patch": yaml.safe_dump(gone, sort_keys=False)}


def _ports(role: RoleCheck, shared: bool) -> Iterator[dict[str, Any]]:
    """The port of a component that follows the mode's."""
    for manifest in role.base.manifests:
        if manifest.kind not in WORKLOADS or manifest.name not in role.follows:
            continue
        service = role.services[manifest.name]
        place = port_place(role.base, service, manifest)
        if place is None:
            continue
        outer, inner = place.numbers
        (port,) = service["ports"].values()
        if operations := _service_port(place, outer, port, shared):
            yield json_patch(place.service, operations)
        if inner != port:
            yield json_patch(manifest, _container_port(place, port))


def _service_port(place: PortPlace, stated: Any, port: int, shared: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if stated != port:
        found.append({"op": "replace", "path": "/spec/ports/0/port", "value": port})
    # The node port is what a cluster on this machine maps to loopback; elsewhere a load balancer leads in.
    if shared and dig(place.service.data, "spec", "type") == "NodePort":
        found.append({"op": "replace", "path": "/spec/type", "value": "LoadBalancer"})
        # Clients keep their addresses on the way in, which what is counted by source needs.
        found.append({"op": "add", "path": "/spec/externalTrafficPolicy", "value": "Local"})
        if dig(place.service.data, "spec", "ports", 0, "nodePort"):
            found.append({"op": "remove", "path": "/spec/ports/0/nodePort"})
    return found


def _container_port(place: PortPlace, port: int) -> list[dict[str, Any]]:
    spec = "/spec/template/spec"
    path = f"{spec}/containers/{place.container}/ports/{place.index}/containerPort"
    found: list[dict[str, Any]] = [{"op": "replace", "path": path, "value": port}]
    if port < _FIRST_FREE_PORT:
        # A sysctl of the pod's own network; Kubernetes counts it as safe, Pod Security admits it.
        context = dig(place.workload.pod_template, "spec", "securityContext")
        if isinstance(context, dict):
            sysctls = [*(context.get("sysctls") or []), _SYSCTL]
            found.append({"op": "add", "path": f"{spec}/securityContext/sysctls", "value": sysctls})
        else:
            found.append({"op": "add", "path": f"{spec}/securityContext", "value": {"sysctls": [_SYSCTL]}})
    return found


def _hosts(role: RoleCheck, moved: Collection[str]) -> list[dict[str, Any]]:
    return [
        json_patch(
            manifest,
            [
                {"op": "replace", "path": "/spec/rules/0/host", "value": role.endpoints[manifest.name]["host"]},
                {"op": "replace", "path": "/spec/tls/0/hosts/0", "value": role.endpoints[manifest.name]["host"]},
            ],
        )
        for manifest in role.base.of_kind("Ingress")
        if manifest.name in role.endpoints and manifest.name not in moved
    ]


def _storage(role: RoleCheck) -> list[dict[str, Any]]:
    template = "/spec/volumeClaimTemplates/0/spec"
    return [
        json_patch(
            manifest,
            [
                {"op": "add", "path": f"{template}/{key}", "value": value}
                for key, value in claim(role.services[manifest.name], manifest.name).items()
            ],
        )
        for manifest in role.base.of_kind("StatefulSet")
        if "storage" in role.services.get(manifest.name, {})
    ]


def claim(service: dict[str, Any], name: str) -> dict[str, Any]:
    """What the contract rules of a PersistentVolumeClaim's spec."""
    # A claim that names its volume is bound at once; the empty class keeps every provisioner away from it.
    values: dict[str, Any] = {"storageClassName": service.get("storage_class", "")}
    if "node_path" in service:
        values["volumeName"] = volume_name(service, name)
    return values | {"resources": {"requests": {"storage": service["storage"]}}}


def volume_name(service: dict[str, Any], name: str) -> str:
    """The PersistentVolume of a service; it has no namespace, so its name says which one it is for."""
    return f"{service['namespace']}-{name}"
