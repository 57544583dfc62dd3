# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract and a mode, as read: shape checked, meaning not yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.problems import dotted
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.strict_yaml import Document, Path

# ansible-test checks module_utils for Python 3.9, on which no module of this collection runs.
Literal = str | int | bool  # pylint: disable=unsupported-binary-operation


@dataclass(frozen=True)
class Source:
    """A file that was read, and how its places are named in messages."""

    label: str
    document: Document

    def where(self, *path: str | int) -> str:
        """``contract/platform.yml: services.api.port (line 12)``."""
        known: Path = path
        while known and known not in self.document.lines:
            known = known[:-1]
        line = self.document.lines.get(known, 1)
        return f"{self.label}: {dotted(path) or 'the document'} (line {line})"


@dataclass(frozen=True)
class Setting:
    """One environment variable of a service; ``value`` may hold references."""

    type: str
    value: Literal


@dataclass(frozen=True)
class Service:
    """One service; ``secrets`` maps the service's own key to the secret's name."""

    role: str
    image: str
    port: str | int
    settings: dict[str, Setting]
    secrets: dict[str, str]


@dataclass(frozen=True)
class Endpoint:
    """A service's public name below the domain."""

    service: str
    name: str
    health: str
    purpose: str


@dataclass(frozen=True)
class Contract:
    """contract/platform.yml. Mode-free."""

    source: Source
    lanes: dict[str, list[str]]
    endpoints: dict[str, Endpoint]
    services: dict[str, Service]
    secrets: dict[str, dict[str, Any]]

    @classmethod
    def parse(cls, source: Source) -> Contract:
        """From a document that contract.schema.json admits."""
        data = source.document.data
        return cls(
            source=source,
            lanes=data["lanes"],
            endpoints={name: Endpoint(**value) for name, value in data["endpoints"].items()},
            services={
                name: Service(
                    role=value["role"],
                    image=value["image"],
                    port=value["port"],
                    settings={key: Setting(item["type"], item["value"]) for key, item in value["settings"].items()},
                    secrets={key: item["secret"] for key, item in value["secrets"].items()},
                )
                for name, value in data["services"].items()
            },
            secrets=data["secrets"],
        )


@dataclass(frozen=True)
class EndpointTransport:
    """How an endpoint is reached."""

    scheme: str
    port: str | int


@dataclass(frozen=True)
class Mode:
    """contract/modes/<mode>.yml: transport and placement, nothing else.

    ``target`` is what is rendered for: ``compose``, ``kubernetes`` (a cluster of our
    own) or ``gitops`` (one where secrets and images are delivered by others).
    ``project`` is the Compose project, empty for other targets.
    """

    source: Source
    name: str
    target: str
    project: str
    domain: str
    endpoints: dict[str, EndpointTransport]
    hosts: dict[str, str]
    ingress_objects: bool
    secrets_source: str
    ca_file: str
    placement: dict[str, dict[str, Any]]

    @classmethod
    def parse(cls, source: Source) -> Mode:
        """From a document that mode.schema.json admits."""
        data = source.document.data
        transport = data["transport"]
        return cls(
            source=source,
            name=data["mode"],
            target=data["target"],
            project=data.get("project", ""),
            domain=transport["domain"],
            endpoints={name: EndpointTransport(**value) for name, value in transport["endpoints"].items()},
            hosts={name: value["host"] for name, value in transport["services"].items()},
            ingress_objects=transport["ingress_objects"],
            secrets_source=transport["secrets_source"],
            ca_file=transport["ca_file"],
            placement=data["placement"],
        )
