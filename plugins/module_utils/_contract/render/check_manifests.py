# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do a role's manifests say what the contract says? Literals are checked here, never patched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.certificates import secret_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.consumption import Read, keys_read, reads
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import (
    MAIN,
    NAME_LABEL,
    OF_KUBERNETES,
    Base,
    Manifest,
    dig,
    items,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.check_ingresses import IngressCheck
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.network_policies import DENY
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.ports import container_ports, port_place, services_at

CA_CONFIG_MAP = "gpuaas-ca"
_MISMATCH = "CONTRACT_MANIFEST_MISMATCH"
# Every namespace of Kubernetes has it; the control plane writes it.
_GIVEN = "kube-root-ca.crt"


def _stated(entries: list[dict[str, Any]], key: str) -> set[int | str]:
    return {entry[key] for entry in entries if isinstance(entry.get(key), int | str)}


def _listed(ports: set[int | str]) -> str:
    return ", ".join(map(str, sorted(ports, key=str))) or "no port"


@dataclass
class RoleCheck:
    """The components of one role that a mode deploys, their endpoints, and their manifests as one base.

    ``labels`` name each component's manifests in messages. ``follows`` are the components
    whose port is the mode's: no literal can be right in every mode, so the rendering
    sets it. ``asks`` are those that ask a server for their secrets, with its URL: their
    pods get an identity and no files. ``kept`` says whether it is a component of the lane that they ask.
    """

    base: Base
    labels: dict[str, str]
    services: dict[str, dict[str, Any]]
    endpoints: dict[str, dict[str, Any]]
    follows: frozenset[str] = frozenset()
    asks: dict[str, str] = field(default_factory=dict)
    kept: bool = False
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
        for where, text in IngressCheck(self.base, self.labels, self.services, self.endpoints, self.follows).problems():
            self._add(where, text)
        self._references()
        self._policies()
        self.problems.refuse()

    def _add(self, where: str, text: str) -> None:
        self.problems.add(_MISMATCH, where, text)

    def _is_of_component(self, workload: Manifest) -> bool:
        """Whether it is the main object of a component; a further Job of one is not."""
        if workload.component not in self.services:
            if workload.kind != "Job" or workload.name in self.services:
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
        for certificate in service.get("certificates", {}):
            self._shows(workload, found, secret_of(name, certificate))

    def _ports(self, name: str, service: dict[str, Any], workload: Manifest) -> None:
        wanted = set(service.get("ports", {}).values())
        objects = services_at(self.base, service)
        self._leads(objects, workload)
        if objects and name in self.follows:
            if len(wanted) != 1 or port_place(self.base, service, workload) is None:
                self._add(objects[0].where, "must have one port, whose targetPort is the name of one container port")
            return
        for manifest in objects:
            exposed = _stated(items(manifest.data, "spec", "ports"), "port")
            if exposed != wanted:
                self._add(manifest.where, f"exposes {_listed(exposed)}, component.yml says {_listed(wanted)}")
        if missing := wanted - _stated(container_ports(workload), "containerPort"):
            self._add(workload.where, f"no container declares containerPort {_listed(missing)} of component.yml")

    def _leads(self, objects: list[Manifest], workload: Manifest) -> None:
        """A Service that leads to none of the component's pods, or to a port that none of them has, is served by nobody."""
        labels = dig(workload.pod_template, "metadata", "labels")
        declared = _stated(container_ports(workload), "name") | _stated(container_ports(workload), "containerPort")
        for manifest in objects:
            selector = dig(manifest.data, "spec", "selector")
            if not isinstance(selector, dict) or not selector or any(dig(labels, key) != value for key, value in selector.items()):
                self._add(manifest.where, "selects none of its pods")
            for item in items(manifest.data, "spec", "ports"):
                target = dig(item, "targetPort") or dig(item, "port")
                if not isinstance(target, int | str) or target not in declared:
                    self._add(manifest.where, f"leads to {target}, which no container declares")

    def _storage(self, service: dict[str, Any], workload: Manifest) -> None:
        templates = items(workload.data, "spec", "volumeClaimTemplates")
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

    def _shows(self, workload: Manifest, found: list[Read], secret: str) -> None:
        """A certificate and its key are of use together; who verifies nobody needs no CA."""
        keys = keys_read(found, "Secret", secret)
        said = keys if isinstance(keys, frozenset) else frozenset()
        if keys is not None and (missing := {"tls.crt", "tls.key"} - said):
            self._add(workload.where, f"does not read {', '.join(sorted(missing))} of Secret {secret}, a certificate of component.yml")

    def _policies(self) -> None:
        """What the generated NetworkPolicies could not select, and what would be replaced by one of them."""
        for manifest in self.base.manifests:
            if manifest.kind == "NetworkPolicy" and manifest.name in (DENY, *self.services):
                self._add(manifest.where, "is the name of a policy that is made of needs and ports; give yours another, or remove it")
            if manifest.pod_template is None or manifest.namespace in OF_KUBERNETES:
                continue
            if not dig(manifest.pod_template, "metadata", "labels", NAME_LABEL):
                self._add(manifest.where, f"its pods have no label {NAME_LABEL}, by which NetworkPolicies select them")

    def _references(self) -> None:
        """A pod that reads what nobody makes would wait for ever: refuse it here."""
        generated = {("ConfigMap", s["namespace"], f"{n}-config") for n, s in self.services.items() if s["settings"]}
        generated |= {("Secret", s["namespace"], f"{n}-secrets") for n, s in self.services.items() if s["secrets"]}
        generated |= {("ConfigMap", s["namespace"], CA_CONFIG_MAP) for s in self.services.values()}
        generated |= {("Secret", self.services[e["service"]]["namespace"], f"{n}-tls") for n, e in self.endpoints.items()}
        generated |= {("Secret", s["namespace"], secret_of(n, c)) for n, s in self.services.items() for c in s.get("certificates", ())}
        generated |= {(m.kind, m.namespace, m.name) for m in self.base.of_kind("ConfigMap", "Secret")}
        generated |= set(self.base.generated)
        for manifest in self.base.manifests:
            for read in reads(manifest):
                if (read.kind, manifest.namespace, read.name) not in generated and read.name != _GIVEN:
                    self._add(manifest.where, f"reads {read.kind} {read.name}, which nothing in the role makes")
