# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract and a mode, as read: shape checked, meaning not yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.deployed import Deployed
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.exceptions import Exceptions
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Source

Literal = str | int | bool


@dataclass(frozen=True)
class Setting:
    """One environment variable of a component; ``value`` may hold references."""

    type: str
    value: Literal


@dataclass(frozen=True)
class Service:
    """One component; ``secrets`` maps its own keys to names of secrets, ``ports`` names to numbers or references.

    ``image`` is empty where the node brings its own. ``needs`` are the components that it connects to
    and cannot be ready without. ``reset`` is what component.yml says of it, ``exceptions`` what compose.yml does.
    """

    role: str
    image: str
    ports: dict[str, str | int]
    settings: dict[str, Setting]
    secrets: dict[str, str]
    needs: tuple[str, ...]
    reset: dict[str, Any]
    deployed: Deployed
    exceptions: Exceptions

    @property
    def port(self) -> str | int | None:
        """The first of its ports; None where nobody connects to it."""
        return next(iter(self.ports.values()), None)


@dataclass(frozen=True)
class Endpoint:
    """A component's public name below the domain."""

    service: str
    name: str
    health: str
    purpose: str


@dataclass(frozen=True)
class Contract:
    """What the components' folders add up to. Mode-free but for ``defaults``, which a mode may replace."""

    source: Source
    domain: str
    defaults: dict[str, str]
    lanes: dict[str, list[str]]
    endpoints: dict[str, Endpoint]
    services: dict[str, Service]
    secrets: dict[str, dict[str, Any]]

    @classmethod
    def parse(cls, source: Source, where_deployed: Mapping[str, Deployed], exceptions: Mapping[str, Exceptions]) -> Contract:
        """From an assembled document whose files their schemas admit."""
        data = source.data
        return cls(
            source=source,
            domain=data["domain"],
            defaults=data["defaults"],
            lanes=data["lanes"],
            endpoints={name: Endpoint(**value) for name, value in data["endpoints"].items()},
            services={
                name: Service(
                    role=value["role"],
                    image=value.get("image", ""),
                    ports=value.get("ports", {}),
                    settings={key: Setting(item["type"], item["value"]) for key, item in value.get("settings", {}).items()},
                    secrets={key: item["secret"] for key, item in value.get("secrets", {}).items()},
                    needs=tuple(value.get("needs", ())),
                    reset=value.get("reset", {}),
                    deployed=where_deployed[name],
                    exceptions=exceptions[name],
                )
                for name, value in data["services"].items()
            },
            secrets=data["secrets"],
        )


@dataclass(frozen=True)
class Mode:
    """modes/<mode>.yml: where a mode differs in transport and placement, nothing else.

    ``target`` is what is rendered for: ``compose``, ``kubernetes`` (a cluster of our
    own) or ``gitops`` (one where secrets and images are delivered by others).
    ``project`` is the Compose project, empty for other targets.
    """

    source: Source
    name: str
    target: str
    project: str
    domain: str
    port: int
    secrets_source: str
    ca_file: str
    exceptions: dict[str, dict[str, Any]]

    @classmethod
    def parse(cls, source: Source, contract: Contract) -> Mode:
        """From a document that mode.schema.json admits; what it does not say, the contract does."""
        data = source.data
        return cls(
            source=source,
            name=data["mode"],
            target=data["target"],
            project=data.get("project", ""),
            domain=data.get("domain", contract.domain),
            port=data["port"],
            secrets_source=data.get("secrets_source", contract.defaults["secrets_source"]),
            ca_file=data.get("ca_file", contract.defaults["ca_file"]),
            exceptions=data.get("placement") or {},
        )

    @property
    def ingress_objects(self) -> bool:
        """Whether routes are Ingress objects; otherwise they are files that the ingress reads."""
        return self.target != "compose"
