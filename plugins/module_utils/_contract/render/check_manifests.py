# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do a role's manifests say what the contract says? Literals are checked here, never patched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.consumption import Read, keys_read, reads
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import (
    NAME_LABEL,
    WORKLOADS,
    Base,
    Manifest,
    dig,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.ports import port_place, services_at

CA_CONFIG_MAP = "gpuaas-ca"
_MISMATCH = "CONTRACT_MANIFEST_MISMATCH"
# Every namespace of Kubernetes has it; the control plane writes it.
_GIVEN = "kube-root-ca.crt"
MAIN = (*WORKLOADS, "Job")


def _listed(ports: set[Any]) -> str:
    return ", ".join(map(str, sorted(ports, key=str))) or "no port"


@dataclass
class RoleCheck:
    """The components of one role that a mode deploys, their endpoints, and their manifests as one base.

    ``labels`` name each component's manifests in messages. ``follows`` are the components
    whose port is the mode's: no literal can be right in every mode, so the rendering
    sets it. ``asks`` are those that ask a server for their secrets, with its URL: their
    pods get an identity and no files.
    """

    base: Base
    labels: dict[str, str]
    services: dict[str, dict[str, Any]]
    endpoints: dict[str, dict[str, Any]]
    follows: frozenset[str] = frozenset()
    asks: dict[str, str] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)

    def run(self) -> None:
        """Raise ParityError CONTRACT_MANIFEST_MISMATCH with everything that differs."""
        workloads = {}
        for manifest in self.base.manifests:
            if manifest.kind in MAIN and self._is_of_component(manifest):
                workloads[manifest.name] = manifest
        for name, service in self.services.items():
            if name in workloads:
                self._service(name, service, workloads[name])
        self._ingresses()
        self._references()
        self.problems.refuse()

    def _add(self, where: str, text: str) -> None:
        self.problems.add(_MISMATCH, where, text)

    def _is_of_component(self, workload: Manifest) -> bool:
        """Whether it is the main object of a component; a further Job of one is not."""
        if workload.component not in self.services:
            if workload.kind != "Job":
                known = ", ".join(self.services)
                self._add(workload.where, f"label {NAME_LABEL} names no component of its role: {known}")
            return False
        if workload.name != workload.component:
            self._add(workload.where, f"must be named as its component, {workload.component}")
            return False
        return True

    def _service(self, name: str, service: dict[str, Any], workload: Manifest) -> None:
        self._ports(name, service, workload)
        self._storage(service, workload)
        found = reads(workload)
        self._consumes(workload, found, "ConfigMap", f"{name}-config", set(service["settings"]))
        self._consumes(workload, found, "Secret", f"{name}-secrets", set(service["secrets"]))

    def _ports(self, name: str, service: dict[str, Any], workload: Manifest) -> None:
        wanted = set(service.get("ports", {}).values())
        objects = services_at(self.base, service)
        if objects and name in self.follows:
            if port_place(self.base, service, workload) is None:
                self._add(objects[0].where, "must have one port, whose targetPort is the name of one container port")
            return
        for manifest in objects:
            exposed = {dig(item, "port") for item in dig(manifest.data, "spec", "ports") or []}
            if exposed != wanted:
                self._add(manifest.where, f"exposes {_listed(exposed)}, component.yml says {_listed(wanted)}")
        containers = dig(workload.pod_template, "spec", "containers") or []
        declared = {dig(item, "containerPort") for container in containers for item in dig(container, "ports") or []}
        if missing := wanted - declared:
            self._add(workload.where, f"no container declares containerPort {_listed(missing)} of component.yml")

    def _storage(self, service: dict[str, Any], workload: Manifest) -> None:
        templates = dig(workload.data, "spec", "volumeClaimTemplates") or []
        if "storage" in service and len(templates) != 1:
            self._add(workload.where, f"has {len(templates)} volumeClaimTemplates, one is what can be placed")

    def _consumes(self, workload: Manifest, found: list[Read], kind: str, name: str, wanted: set[str]) -> None:
        keys = keys_read(found, kind, name)
        if keys is None or (keys is False and not wanted):
            return
        said = keys if isinstance(keys, frozenset) else frozenset()
        if missing := sorted(wanted - said):
            self._add(workload.where, f"does not read {', '.join(missing)} of {kind} {name}")
        if unknown := sorted(said - wanted):
            self._add(workload.where, f"reads {', '.join(unknown)} of {kind} {name}, which the contract does not have")

    def _ingresses(self) -> None:
        ingresses = {m.name: m for m in self.base.of_kind("Ingress")}
        for name in sorted(set(self.endpoints) - set(ingresses)):
            self._add(self.labels[self.endpoints[name]["service"]], f"no Ingress of endpoint {name}")
        for name, manifest in ingresses.items():
            endpoint = self.endpoints.get(name)
            if endpoint is None:
                self._add(manifest.where, "is not named as an endpoint of the role")
                continue
            self._ingress(name, manifest, self.services[endpoint["service"]])

    def _ingress(self, name: str, manifest: Manifest, service: dict[str, Any]) -> None:
        spec = manifest.data.get("spec")
        rules, tls = dig(spec, "rules") or [], dig(spec, "tls") or []
        if manifest.namespace != service["namespace"]:
            self._add(
                manifest.where,
                f"is in namespace {manifest.namespace or 'default'}, its service in {service['namespace']}",
            )
        if len(rules) != 1 or not dig(rules, 0, "host"):
            self._add(manifest.where, "must have exactly one rule, with a host")
        if len(tls) != 1 or len(dig(tls, 0, "hosts") or []) != 1 or dig(tls, 0, "secretName") != f"{name}-tls":
            self._add(manifest.where, f"must have exactly one tls entry, with one host and secretName {name}-tls")
        for path in dig(rules, 0, "http", "paths") or [{}]:
            backend = dig(path, "backend", "service")
            wanted = service["host"].split(".")[0]
            if dig(backend, "name") != wanted:
                self._add(manifest.where, f"leads to Service {dig(backend, 'name')}, the endpoint's is {wanted}")
            number = dig(backend, "port", "number")
            if number is not None and number not in service["ports"].values():
                self._add(manifest.where, f"leads to port {number}, component.yml says {_listed(set(service['ports'].values()))}")

    def _references(self) -> None:
        """A pod that reads what nobody makes would wait for ever: refuse it here."""
        generated = {("ConfigMap", s["namespace"], f"{n}-config") for n, s in self.services.items() if s["settings"]}
        generated |= {("Secret", s["namespace"], f"{n}-secrets") for n, s in self.services.items() if s["secrets"]}
        generated |= {("ConfigMap", s["namespace"], CA_CONFIG_MAP) for s in self.services.values()}
        generated |= {("Secret", self.services[e["service"]]["namespace"], f"{n}-tls") for n, e in self.endpoints.items()}
        generated |= {(m.kind, m.namespace, m.name) for m in self.base.of_kind("ConfigMap", "Secret")}
        generated |= set(self.base.generated)
        for manifest in self.base.manifests:
            for read in reads(manifest):
                if (read.kind, manifest.namespace, read.name) not in generated and read.name != _GIVEN:
                    self._add(manifest.where, f"reads {read.kind} {read.name}, which nothing in the role makes")
