# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""References: ``${endpoints.api.url}`` and the few other names a value may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.keeper import source_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.placement import host_of
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_HTTPS_PORT = "443"


def names_in(value: object) -> list[str]:
    """The names that a value refers to, in order."""
    return _REFERENCE.findall(value) if isinstance(value, str) else []


def split(text: str) -> list[tuple[str, bool]]:
    """``text`` in pieces, each with whether it is the name of a reference rather than literal."""
    return [(piece, index % 2 == 1) for index, piece in enumerate(_REFERENCE.split(text)) if piece]


def service_of(name: str, contract: Contract) -> str | None:
    """The service that a reference leads to; None for what belongs to no service."""
    match name.split("."):
        case ["services", service, *_]:
            return service
        case ["endpoints", endpoint, _] if endpoint in contract.endpoints:
            return contract.endpoints[endpoint].service
    return None


@dataclass(frozen=True)
class Expression:
    """What stands behind a name: its text, and where that text is written."""

    text: str
    where: str


@dataclass
class Scope:
    """Every name that can be referred to, resolved when asked for and only once.

    Pure: the values come from the contract and the mode, nothing from the environment.
    """

    expressions: Mapping[str, Expression]
    _values: dict[str, str] = field(default_factory=dict)

    def expand(self, text: str, where: str) -> str:
        """``text`` with every reference replaced.

        Raises ParityError: CONTRACT_REFERENCE for an unknown or malformed reference,
        CONTRACT_CYCLE for one that leads back to itself.
        """
        return self._expand(text, where, ())

    def _expand(self, text: str, where: str, trail: tuple[str, ...]) -> str:
        expanded = _REFERENCE.sub(lambda match: self._value(match[1], where, trail), text)
        if "${" in _REFERENCE.sub("", text):
            raise ParityError("CONTRACT_REFERENCE", f"{where}: a ${{ that is not closed")
        return expanded

    def _value(self, name: str, where: str, trail: tuple[str, ...]) -> str:
        if name in trail:
            circle = " -> ".join((*trail[trail.index(name) :], name))
            raise ParityError("CONTRACT_CYCLE", f"{where}: {circle}")
        if name not in self._values:
            expression = self.expressions.get(name)
            if expression is None:
                raise ParityError("CONTRACT_REFERENCE", f"{where}: ${{{name}}} leads nowhere; {self._hint(name)}")
            value = self._expand(expression.text, expression.where, (*trail, name))
            self._values[name] = _url_without_default_port(value) if name.endswith(".url") else value
        return self._values[name]

    def _hint(self, name: str) -> str:
        parts = name.split(".")
        for depth in range(len(parts) - 1, -1, -1):
            prefix = ".".join((*parts[:depth], "")) if depth else ""
            near = sorted({known[len(prefix) :].split(".")[0] for known in self.expressions if known.startswith(prefix)})
            if near:
                return f"{prefix.removesuffix('.') or 'the contract'} has: {', '.join(near)}"
        return "nothing can be referred to"


def scope_of(contract: Contract, mode: Mode) -> Scope:
    """The names that the contract and a mode give: ``domain`` and the like, endpoints, services."""
    place = mode.source.where

    def default(key: str, *path: str) -> str:
        return place(key) if key in mode.source.data else contract.source.where(*path, key)

    names = {
        "domain": Expression(mode.domain, default("domain")),
        "public_port": Expression(str(mode.port), place("port")),
        "ingress_objects": Expression(str(mode.ingress_objects).lower(), place("target")),
        "secrets_source": Expression(
            mode.secrets_source, default("secrets_source", *(("options", mode.option) if mode.option else ("defaults",)))
        ),
        "ca_file": Expression(mode.ca_file, default("ca_file", "defaults")),
    }
    if mode.security.mode:
        table = contract.source.where("security", mode.security.mode)
        names["security"] = Expression(mode.security.mode, place("security"))
        names["key_provider"] = Expression(
            mode.security.key_provider, place("key_provider") if "key_provider" in mode.source.data else table
        )
        names["member_keys"] = Expression(mode.security.member_keys, table)
    for name, endpoint in contract.endpoints.items():
        at, where = f"endpoints.{name}", contract.source.where("endpoints", name)
        names[f"{at}.scheme"] = Expression("https", where)
        names[f"{at}.port"] = Expression("${public_port}", where)
        names[f"{at}.host"] = Expression(f"{endpoint.name}.${{domain}}", where)
        names[f"{at}.url"] = Expression(f"${{{at}.scheme}}://${{{at}.host}}:${{{at}.port}}", where)
    for name, service in contract.services.items():
        at, where = f"services.{name}", contract.source.where("services", name)
        names[f"{at}.secrets_source"] = Expression(source_of(name, mode.secrets_source), where)
        if host := host_of(contract, mode, name):
            said = "host" in mode.exceptions.get(name, {})
            names[f"{at}.host"] = Expression(host, place("placement", name, "host") if said else where)
        for port, value in service.ports.items():
            names[f"{at}.ports.{port}"] = Expression(str(value), contract.source.where("services", name, "ports", port))
        if service.main_port in service.ports:
            names[f"{at}.port"] = names[f"{at}.ports.{service.main_port}"]
    return Scope(names)


def _url_without_default_port(url: str) -> str:
    """RFC 3986 section 6.2.3: the default port is omitted, as browsers and issuers write it."""
    return url.removesuffix(f":{_HTTPS_PORT}")
