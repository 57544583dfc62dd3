# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an ingress of ours serves: the Ingress of each endpoint, in the ingress' own namespace, and its file of routes.

Who serves Ingress objects reads Secrets wherever those are. So an endpoint's Ingress is rendered into the namespace of the
ingress, with a Service there that leads on to the component by name, and the ingress needs no right anywhere else. The
manifests stay as any controller takes them, beside their component; where the ingress is none of ours, so do the objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import dig, items
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import Resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.calls import entries
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_files import as_yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.ports import services_at
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml

FILE = "routes.yml"
"""The ingress' file of routes, in its ConfigMap ``<ingress>-routes``."""
# By this annotation an ingress' IngressClass says by which one an Ingress names its set of TLS options in the file.
_OPTIONS = "gpuaas.parity/tls-options"


@dataclass(frozen=True)
class Door:
    """The component that public names lead to first, where it is one of ours, in a rendering."""

    component: Component
    resolved: Resolved
    components: Mapping[str, Component]

    @classmethod
    def of(cls, resolved: Resolved, components: Mapping[str, Component]) -> Door | None:
        """That of a lane; None where the mode's surroundings are the ingress."""
        placed = (name for name in entries(resolved) if "provided_by" not in resolved["services"][name])
        return next((cls(components[name], resolved, components) for name in placed), None)

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name

    @property
    def namespace(self) -> str:
        """Where its pods are, and whatever it serves."""
        return self.component.deployed.namespace

    @property
    def config_map(self) -> str:
        """The ConfigMap of the file of routes."""
        return f"{self.name}-routes"

    def file(self, routes: bytes = b"") -> bytes | None:
        """What the component's own file says, with TLS options for each endpoint and, where no objects say them, ``routes``.

        None where it has no such file. Every endpoint has options of its own, the component's default ones: a request
        whose Host is another endpoint's than its SNI then meets other options than those of its connection, and gets 421.
        """
        authored = (self.component.base.config_map(self.namespace, self.config_map) or {}).get(FILE)
        if authored is None:
            return routes or None
        document: dict[str, dict[str, Any]] = yaml.safe_load(authored)
        for section, said in (yaml.safe_load(routes) or {}).items():
            document.setdefault(section, {}).update(said)
        for name, router in document["http"].get("routers", {}).items():
            router["tls"] = {"options": name}
        options = document["tls"]["options"]
        options.update(dict.fromkeys(sorted(self.resolved["endpoints"]), options["default"]))
        return as_yaml(document)

    def moved(self) -> dict[str, dict[str, Any]]:
        """The endpoints whose Ingress is rendered into its namespace."""
        services = self.resolved["services"]
        return {
            name: endpoint
            for name, endpoint in sorted(self.resolved["endpoints"].items())
            if services[endpoint["service"]].get("namespace", self.namespace) != self.namespace
        }

    def objects(self) -> list[dict[str, Any]]:
        """Their Ingress objects, and a Service that leads to each component of them."""
        moved = self.moved()
        leading = [self._service(self.components[name]) for name in sorted({endpoint["service"] for endpoint in moved.values()})]
        return [*leading, *(self._ingress(name, endpoint) for name, endpoint in moved.items())]

    def _service(self, component: Component) -> dict[str, Any]:
        service = self.resolved["services"][component.name]
        number = service["ports"][service["main_port"]]
        stated = [item for one in services_at(component.base, service) for item in items(one.data, "spec", "ports")]
        # One that follows the mode is the only one, whatever its Service states.
        names = [item["name"] for item in stated if "name" in item and (len(stated) == 1 or item["port"] == number)]
        port = {"name": names[0], "port": number} if names else {"port": number}
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": component.name, "namespace": self.namespace},
            "spec": {"type": "ExternalName", "externalName": service["host"], "ports": [port]},
        }

    def _ingress(self, name: str, endpoint: Mapping[str, Any]) -> dict[str, Any]:
        (manifest,) = (one for one in self.components[endpoint["service"]].base.of_kind("Ingress") if one.name == name)
        data = deepcopy(manifest.data)
        data["metadata"]["namespace"] = self.namespace
        for one in self.component.base.of_kind("IngressClass"):
            if said := dig(one.data, "metadata", "annotations", _OPTIONS):
                data["metadata"].setdefault("annotations", {})[said] = f"{name}@file"
        data["spec"]["rules"][0]["host"] = endpoint["host"]
        data["spec"]["tls"][0]["hosts"] = [endpoint["host"]]
        for path in items(data, "spec", "rules", 0, "http", "paths"):
            path["backend"]["service"]["name"] = endpoint["service"]
        return data
