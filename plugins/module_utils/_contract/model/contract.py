# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract and a mode, as read: shape checked, meaning not yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.deployed import Deployed
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.exceptions import Exceptions
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.head import Head
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.instance import domain_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.options import chosen_in
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.security import Security
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Source

# ansible-test checks module_utils for Python 3.9, on which no module of this collection runs.
Literal = str | int | bool  # pylint: disable=unsupported-binary-operation


@dataclass(frozen=True)
class Setting:
    """One environment variable of a component; ``value`` may hold references. ``wanted`` is the component that it is for, if any."""

    type: str
    value: Literal
    wanted: str = ""


@dataclass(frozen=True)
class Certificate:
    """A certificate of a component; ``usage`` is ``server``, ``client`` or ``both``, ``names`` may hold references."""

    usage: str
    names: tuple[str, ...]

    @property
    def serves(self) -> bool:
        """Whether a server shows it."""
        return self.usage != "client"


@dataclass(frozen=True)
class Service:
    """One component; ``secrets`` maps its own keys to names of secrets, ``ports`` names to numbers or references.

    ``shared_by`` names, for a key that another component gave it, that component; ``held_in`` names, for a key that not every
    security mode has, those that have it. ``main_port`` names the port that
    endpoints and a published port lead to: the only one, or the one that component.yml says; empty where there is none.

    ``image`` is the name by which its manifests call it: where component.yml names one of a registry,
    that of the component. It is empty where the node brings its own. ``needs`` are the components that it connects to
    and cannot be ready without, ``wants`` those that it connects to where a lane has them, ``calls`` what it connects to that is
    no component. ``reset`` is what component.yml says of it, ``exceptions`` what compose.yml does. ``asks`` says whether it reads
    secrets where the mode says (``asks_in``); then it also needs ``keeper``, who keeps the secrets of such components where a lane
    has it. Of that one itself ``keeps_secrets`` is true.
    """

    role: str
    image: str
    ports: dict[str, str | int]
    main_port: str
    settings: dict[str, Setting]
    secrets: dict[str, str]
    shared_by: dict[str, str]
    held_in: dict[str, tuple[str, ...]]
    certificates: dict[str, Certificate]
    needs: tuple[str, ...]
    wants: tuple[str, ...]
    calls: tuple[str, ...]
    asks: bool
    keeper: str
    keeps_secrets: bool
    reset: dict[str, Any]
    deployed: Deployed
    exceptions: Exceptions

    def settings_in(self, lane: Collection[str]) -> dict[str, Setting]:
        """Its settings in a lane of these components: those that are for one that it wants go with that one."""
        return {key: setting for key, setting in self.settings.items() if setting.wanted in ("", *lane)}

    def needs_in(self, lane: Collection[str]) -> tuple[str, ...]:
        """What it needs in a lane of these components: who asks for secrets is not ready before who keeps them."""
        return (*self.needs, self.keeper) if self.asks and self.keeper in lane else self.needs

    def secrets_in(self, lane: Collection[str], security: str) -> dict[str, str]:
        """Its secrets in a lane of these components and a security mode: what others share with it goes with them."""
        return {
            key: secret
            for key, secret in self.secrets.items()
            if self.shared_by.get(key, "") in ("", *lane) and security in self.held_in.get(key, (security,))
        }


@dataclass(frozen=True)
class Endpoint:
    """A component's public name below the domain."""

    service: str
    name: str
    health: str
    purpose: str


@dataclass(frozen=True)
class Contract:
    """What the components' folders add up to. Mode-free but for ``defaults``, which a mode may replace.

    ``sources`` has, of the ``options`` that say it, where secrets then come from.
    """

    source: Source
    domain: str
    defaults: dict[str, str]
    security: dict[str, dict[str, str]]
    lanes: dict[str, list[str]]
    options: dict[str, list[str]]
    sources: dict[str, str]
    endpoints: dict[str, Endpoint]
    services: dict[str, Service]
    secrets: dict[str, dict[str, Any]]

    @classmethod
    def parse(cls, source: Source, components: Mapping[str, Component]) -> Contract:
        """From an assembled document whose files their schemas admit, and the components that it is of."""
        data = source.data
        return cls(
            source=source,
            domain=data["domain"],
            defaults=data["defaults"],
            security=data["security"],
            lanes=data["lanes"],
            options=data["options"],
            sources=data["sources"],
            endpoints={name: Endpoint(**value) for name, value in data["endpoints"].items()},
            services={
                name: Service(
                    role=value["role"],
                    image=name if isinstance(value.get("image"), dict) else value.get("image", ""),
                    ports=value.get("ports", {}),
                    main_port=value.get("main_port", _only(value.get("ports", {}))),
                    settings={
                        key: Setting(item["type"], item["value"], item.get("wanted", "")) for key, item in value.get("settings", {}).items()
                    },
                    secrets={key: item["secret"] for key, item in value.get("secrets", {}).items()},
                    shared_by={key: item["shared_by"] for key, item in value.get("secrets", {}).items() if "shared_by" in item},
                    held_in={key: tuple(item["security"]) for key, item in value.get("secrets", {}).items() if "security" in item},
                    certificates={
                        key: Certificate(item["usage"], tuple(item.get("names", ()))) for key, item in value.get("certificates", {}).items()
                    },
                    needs=tuple(value.get("needs", ())),
                    wants=tuple(value.get("wants", ())),
                    calls=tuple(value.get("calls", ())),
                    asks=bool(value.get("asks")),
                    keeper=str(value.get("keeper", "")),
                    keeps_secrets=bool(value.get("keeps_secrets")),
                    reset=components[name].reset,
                    deployed=components[name].deployed,
                    exceptions=components[name].exceptions,
                )
                for name, value in data["services"].items()
            },
            secrets=data["secrets"],
        )


def _only(ports: Mapping[str, Any]) -> str:
    return next(iter(ports)) if len(ports) == 1 else ""


@dataclass(frozen=True)
class Mode:
    """modes/<mode>.yml: where a mode differs in transport, placement and security mode, nothing else.

    ``target`` is what is rendered for: ``compose``, ``kubernetes`` (a cluster of our
    own) or ``gitops`` (one where secrets and images are delivered by others).
    ``head`` has the names and the port of this instance, ``domain`` is its own.
    ``option`` is the option of a lane that ``secrets_source`` is of, if any.
    """

    source: Source
    head: Head
    domain: str
    secrets_source: str
    ca_file: str
    security: Security
    exceptions: dict[str, dict[str, Any]]
    option: str = ""

    @classmethod
    def parse(cls, source: Source, contract: Contract, instance: str = "", security: str = "") -> Mode:
        """From a document that mode.schema.json admits; what it does not say, the contract does.

        ``security`` is a security mode that is asked for in place of its own.
        """
        data = source.data
        head = Head.of(data, instance)
        return cls(
            source=source,
            head=head,
            domain=domain_of(data.get("domain", contract.domain), head.instance),
            secrets_source=data.get("secrets_source", contract.defaults["secrets_source"]),
            ca_file=data.get("ca_file", contract.defaults["ca_file"]),
            security=Security.of(contract.security, data, security),
            exceptions=data.get("placement") or {},
        )

    def in_lane(self, contract: Contract, lane: str) -> Mode:
        """The mode with the source of secrets that an option of the lane brings.

        A mode that names one itself keeps it, and so does one whose surroundings provide what the option brings: a stand-in
        is for where it runs. Where a server has the secrets nobody delivers files, so a root key in a file is nowhere.
        """
        for option in chosen_in(lane):
            provided = any("provided_by" in self.exceptions.get(name, {}) for name in contract.options.get(option, ()))
            if option in contract.sources and "secrets_source" not in self.source.data and not provided:
                return replace(self, secrets_source=contract.sources[option], security=self.security.without_files(), option=option)
        return self

    @property
    def name(self) -> str:
        """The mode's own name."""
        return self.head.mode

    @property
    def target(self) -> str:
        """What is rendered for."""
        return self.head.target

    @property
    def port(self) -> int:
        """The public port of every endpoint."""
        return self.head.port

    @property
    def ingress_objects(self) -> bool:
        """Whether routes are Ingress objects; otherwise they are files that the ingress reads."""
        return self.target != "compose"
