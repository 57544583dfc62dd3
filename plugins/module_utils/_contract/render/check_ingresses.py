# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does each endpoint have an Ingress that leads to its component, and can be set to the mode's host?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Base, Manifest, dig, items
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.ingress_paths import paths_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.ports import services_at

Problem = tuple[str, str]
"""(where, what is wrong there)."""


@dataclass(frozen=True)
class IngressCheck:
    """The fields are those of ``RoleCheck``."""

    base: Base
    labels: dict[str, str]
    services: dict[str, dict[str, Any]]
    endpoints: dict[str, dict[str, Any]]
    follows: frozenset[str]

    def problems(self) -> Iterator[Problem]:
        """Every contradiction between the endpoints and the Ingress objects."""
        ingresses = {m.name: m for m in self.base.of_kind("Ingress")}
        for name in sorted(set(self.endpoints) - set(ingresses)):
            yield self.labels[self.endpoints[name]["service"]], f"no Ingress of endpoint {name}"
        for name, manifest in ingresses.items():
            endpoint = self.endpoints.get(name)
            if endpoint is None:
                yield manifest.where, "is not named as an endpoint of the role"
            else:
                yield from self._shape(name, manifest, self.services[endpoint["service"]])
                yield from self._backends(manifest, endpoint["service"])
                yield from _paths(manifest, endpoint["health"])

    def _shape(self, name: str, manifest: Manifest, service: dict[str, Any]) -> Iterator[Problem]:
        rules, tls = items(manifest.data, "spec", "rules"), items(manifest.data, "spec", "tls")
        if manifest.namespace != service["namespace"]:
            yield manifest.where, f"is in namespace {manifest.namespace or 'default'}, its component in {service['namespace']}"
        if len(rules) != 1 or not dig(rules, 0, "host"):
            yield manifest.where, "must have exactly one rule, with a host"
        if len(tls) != 1 or not _one(dig(tls, 0, "hosts")) or dig(tls, 0, "secretName") != f"{name}-tls":
            yield manifest.where, f"must have exactly one tls entry, with one host and secretName {name}-tls"

    def _backends(self, manifest: Manifest, component: str) -> Iterator[Problem]:
        service = self.services[component]
        wanted = service["host"].split(".")[0]
        for path in items(manifest.data, "spec", "rules", 0, "http", "paths") or [{}]:
            name, port = (dig(path, "backend", "service", part) for part in ("name", "port"))
            if name != wanted:
                yield manifest.where, f"leads to Service {name}, the endpoint's is {wanted}"
            elif not self._leads(component, port):
                said = dig(port, "name") or dig(port, "number")
                main = service["main_port"]
                yield manifest.where, f"leads to port {said}, {main} of component.yml is {service['ports'][main]}"

    def _leads(self, component: str, port: Any) -> bool:
        """Whether a backend's port is the main one of a component: by number, or by its name in the Service."""
        service = self.services[component]
        named = [
            dig(item, "port")
            for manifest in services_at(self.base, service)
            for item in items(manifest.data, "spec", "ports")
            if dig(item, "name") == dig(port, "name")
        ]
        if component in self.follows:
            # Its number is the mode's, which the rendering sets in the Service alone.
            return dig(port, "name") is not None and len(named) == 1
        number = service["ports"][service["main_port"]]
        return dig(port, "number") == number if dig(port, "name") is None else named == [number]


def _paths(manifest: Manifest, health: str) -> Iterator[Problem]:
    paths = paths_of(manifest)
    wrong = [path.problem for path in paths if path.problem]
    yield from ((manifest.where, problem) for problem in wrong)
    if not wrong and not any(path.leads(health.partition("?")[0]) for path in paths):
        yield manifest.where, f"has no path that leads to {health}, the health of its endpoint"


def _one(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1
