# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who connects to whom -> NetworkPolicies that allow that and nothing else.

Of every namespace there is one that denies whatever no other allows, in both directions, and one for the pods of
each component. What goes to a pod from its own node, such as a kubelet's probe, is no policy's matter
(kubernetes.io, "Network Policies").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import NAME_LABEL, OF_KUBERNETES, dig, items
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import Resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.calls import Call, calls, entries, names_another

DENY = "default-deny"
"""The policy of a namespace that denies whatever no other allows."""
KUBERNETES = "kubernetes"
"""How component.yml names the API server among what a component calls."""
_BOTH = ["Ingress", "Egress"]
_FROM_OUTSIDE = ("NodePort", "LoadBalancer")
# Set by the API server on each namespace.
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_HTTPS_PORT = 443

# The cluster's DNS, whoever serves it.
_DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {_NAMESPACE_LABEL: "kube-system"}}}],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}
# The API server is no pod, and which address it has is known when it runs. It is never a public one: RFC 1918, RFC 6598.
_API_SERVER = {
    "to": [{"ipBlock": {"cidr": cidr}} for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")],
    # kubeadm's own, which is where its Service leads.
    "ports": [{"protocol": "TCP", "port": 6443}],
}


@dataclass(frozen=True)
class Policies:
    """The NetworkPolicies of a lane. ``asks`` are the components that ask a server for their secrets, with its URL."""

    contract: Contract
    resolved: Resolved
    components: Mapping[str, Component]
    asks: Mapping[str, str]

    def of(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """Those of some components, and of every namespace that they have pods in; namespaces of Kubernetes itself have none."""
        chosen = sorted(names)
        made = calls(self.contract, self.resolved)
        inhabited = {m.namespace for name in chosen for m in self.components[name].base.manifests if m.pod_template}
        found = [_policy(DENY, namespace, {}, {}) for namespace in sorted(inhabited - OF_KUBERNETES)]
        for name in chosen:
            namespace = self.resolved["services"][name]["namespace"]
            if namespace in OF_KUBERNETES:
                continue
            rules = {"ingress": self._ingress(name, made), "egress": self._egress(name, made)}
            found.append(_policy(name, namespace, _pods(self.components[name]), rules))
        return found

    def _ingress(self, name: str, made: frozenset[Call]) -> list[dict[str, Any]]:
        open_to_all = _ports_from_outside(self.components[name]) + self._ports_of_foreign_ingress(name)
        found: list[dict[str, Any]] = [{"ports": open_to_all}] if open_to_all else []
        for caller in sorted({call.caller for call in made if call.called == name}):
            if self._is_placed(caller):
                ports = [call.port for call in sorted(made) if (call.caller, call.called) == (caller, name)]
                found.append({"from": [self._peer(caller)], "ports": self._ports(name, ports)})
        # Without a port a rule is about all of them.
        return [rule for rule in found if rule["ports"]]

    def _egress(self, name: str, made: frozenset[Call]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [_DNS]
        for called in sorted({call.called for call in made if call.caller == name}):
            ports = [call.port for call in sorted(made) if (call.caller, call.called) == (name, called)]
            to = {"to": [self._peer(called)]} if self._is_placed(called) else {}
            found.append({**to, "ports": self._ports(called, ports)})
        if not entries(self.resolved) and names_another(self.contract, name, self.resolved["services"]):
            found.append({"ports": [{"protocol": "TCP", "port": self.resolved["public_port"]}]})
        if KUBERNETES in self.contract.services[name].calls:
            found.append(_API_SERVER)
        if name in self.asks and self.contract.services[name].keeper not in self.resolved["services"]:
            found.append({"ports": [{"protocol": "TCP", "port": urlsplit(self.asks[name]).port or _HTTPS_PORT}]})
        return [rule for rule in found if rule["ports"]]

    def _is_placed(self, name: str) -> bool:
        """Whether it runs as our pods; otherwise it is somewhere in the mode's surroundings, at an address that nobody says."""
        return "provided_by" not in self.resolved["services"][name]

    def _peer(self, name: str) -> dict[str, Any]:
        namespace = self.resolved["services"][name]["namespace"]
        return {"namespaceSelector": {"matchLabels": {_NAMESPACE_LABEL: namespace}}, "podSelector": _pods(self.components[name])}

    def _ports(self, name: str, ports: list[str]) -> list[dict[str, Any]]:
        """Where the Services of a component lead to in its pods, for these ports of component.yml."""
        numbers = [self.resolved["services"][name]["ports"][port] for port in ports]
        if not self._is_placed(name):
            return [{"protocol": "TCP", "port": number} for number in numbers]
        service = self.contract.services[name]
        stated = [
            item
            for manifest in self.components[name].base.of_kind("Service")
            if (manifest.name, manifest.namespace) == (service.deployed.service, service.deployed.namespace)
            for item in items(manifest.data, "spec", "ports")
        ]
        # Where the port is the mode's, the Service has one, whatever number it states.
        follows = any(isinstance(service.ports[port], str) for port in ports)
        return [_target(item) for item in stated if follows or item.get("port") in numbers]

    def _ports_of_foreign_ingress(self, name: str) -> list[dict[str, Any]]:
        """The ports of public names where the ingress is none of ours: it may be anywhere."""
        if any(self._is_placed(door) for door in entries(self.resolved)):
            return []
        is_public = any(endpoint["service"] == name for endpoint in self.resolved["endpoints"].values())
        return self._ports(name, [self.resolved["services"][name]["main_port"]]) if is_public else []


def _policy(name: str, namespace: str, pods: dict[str, Any], rules: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    said = {key: value for key, value in rules.items() if value}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": pods, "policyTypes": _BOTH, **said},
    }


def _pods(component: Component) -> dict[str, Any]:
    """A selector of everything that a component's manifests make pods of: its workload, and its Jobs."""
    labels = {str(dig(m.pod_template, "metadata", "labels", NAME_LABEL)) for m in component.base.manifests if m.pod_template}
    if len(labels) == 1:
        return {"matchLabels": {NAME_LABEL: labels.pop()}}
    return {"matchExpressions": [{"key": NAME_LABEL, "operator": "In", "values": sorted(labels)}]}


def _ports_from_outside(component: Component) -> list[dict[str, Any]]:
    """The ports of a Service that leads into the cluster."""
    services = [m for m in component.base.of_kind("Service") if dig(m.data, "spec", "type") in _FROM_OUTSIDE]
    return [_target(item) for manifest in services for item in items(manifest.data, "spec", "ports")]


def _target(item: dict[str, Any]) -> dict[str, Any]:
    """The port of the pod that a port of a Service leads to."""
    return {"protocol": item.get("protocol", "TCP"), "port": item.get("targetPort", item["port"])}
