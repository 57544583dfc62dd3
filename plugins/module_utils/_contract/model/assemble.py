# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""platform.yml and every component.yml as one document, each place of which knows its file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.keeper import keep_secrets
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.options import with_options
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.readers import readers_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Assembled, Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

Parts = dict[Path, tuple[Source, Path]]
# What a definition holds besides the name by which it is used.
_OF_A_SECRET = ("type", "means", "operator", "derived_from", "wrapped_by")


def assemble(platform: Source, components: Mapping[str, Source], realm: Source | None, left_out: Collection[str] = ()) -> Assembled:
    """The contract as one document: lanes, endpoints, services, secrets with their readers.

    ``left_out`` are components that there would be. Raises ParityError: CONTRACT_INVALID for a name that is given twice,
    CONTRACT_REFERENCE for a lane, a share or a wish that names what is not there, PLATFORM_EXTENDS for lanes that extend
    each other.
    """
    problems = Problems()
    parts: Parts = {(): (platform, ()), ("services",): (platform, ())}
    endpoints: dict[str, Any] = {}
    secrets: dict[str, Any] = {}
    for name, secret in (platform.data.get("secrets") or {}).items():
        secrets[name] = secret
        parts[("secrets", name)] = (platform, ("secrets", name))
    for component, source in components.items():
        parts[("services", component)] = (source, ())
        for name, endpoint in (source.data.get("endpoints") or {}).items():
            if name in endpoints:
                problems.add("CONTRACT_INVALID", source.where("endpoints", name), f"is an endpoint of {endpoints[name]['service']} already")
            endpoints[name] = {"service": component, "name": name, **endpoint}
            parts[("endpoints", name)] = (source, ("endpoints", name))
        for key, entry in _defined(source):
            if entry["secret"] in secrets:
                problems.add("CONTRACT_INVALID", source.where("secrets", key), f"{entry['secret']} is defined twice; a use has no type")
            secrets[entry["secret"]] = {part: entry[part] for part in _OF_A_SECRET if part in entry}
            parts[("secrets", entry["secret"])] = (source, ("secrets", key))
    services = {
        name: {**source.data, **{part: dict(source.data.get(part) or {}) for part in ("secrets", "settings")}}
        for name, source in components.items()
    }
    for component, source in components.items():
        for key, entry in _defined(source):
            for other, its_key in entry.get("shared_with", {}).items():
                where = source.where("secrets", key, "shared_with", other)
                if other not in services:
                    problems.add("CONTRACT_REFERENCE", where, f"no component {other}")
                elif its_key in services[other]["secrets"]:
                    problems.add("CONTRACT_INVALID", where, f"{other} has a secret {its_key} already")
                else:
                    services[other]["secrets"][its_key] = {"secret": entry["secret"], "shared_by": component}
                    parts[("services", other, "secrets", its_key)] = (source, ("secrets", key, "shared_with", other))
        for wanted, said in (source.data.get("wants") or {}).items():
            if wanted not in components:
                if wanted not in left_out:
                    problems.add("CONTRACT_REFERENCE", source.where("wants", wanted), f"no component {wanted}")
                continue
            for key, setting in said.items():
                if key in services[component]["settings"]:
                    problems.add("CONTRACT_INVALID", source.where("wants", wanted, key), f"{component} has a setting {key} already")
                services[component]["settings"][key] = {**setting, "wanted": wanted}
                parts[("services", component, "settings", key)] = (source, ("wants", wanted, key))
    keep_secrets(services, secrets, parts, problems)
    lanes = _lanes(platform, set(components), problems)
    problems.refuse()
    parts[("endpoints",)] = (platform, ())
    parts.setdefault(("secrets",), (platform, ("secrets",)))
    readers = readers_of(services, secrets, realm)
    data = {
        "domain": platform.data["domain"],
        "defaults": platform.data["defaults"],
        "security": platform.data.get("security") or {},
        "lanes": with_options(lanes, platform.data.get("options") or {}),
        "options": {name: said["components"] for name, said in (platform.data.get("options") or {}).items()},
        "sources": {
            name: said["secrets_source"] for name, said in (platform.data.get("options") or {}).items() if "secrets_source" in said
        },
        "endpoints": endpoints,
        "services": services,
        "secrets": {name: _secret(value) | {"readers": readers[name]} for name, value in secrets.items()},
    }
    return Assembled(data, parts)


def _defined(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, entry in (source.data.get("secrets") or {}).items():
        if "type" in entry:
            yield key, entry


def _secret(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key != "operator"}


def _lanes(platform: Source, components: set[str], problems: Problems) -> dict[str, list[str]]:
    """Each lane with the components of those that it extends, in the order in which they are written."""
    said = platform.data["lanes"]
    for kind in ("lanes", "options"):
        for one, value in (platform.data.get(kind) or {}).items():
            for index, name in enumerate(value["components"]):
                if name not in components:
                    problems.add("CONTRACT_REFERENCE", platform.where(kind, one, "components", index), f"no component {name}")
    for lane, value in said.items():
        if value.get("extends", lane) not in said:
            known = ", ".join(sorted(said))
            problems.add("CONTRACT_REFERENCE", platform.where("lanes", lane, "extends"), f"no lane {value['extends']}; there are {known}")

    def members(lane: str, trail: tuple[str, ...]) -> list[str]:
        if lane in trail:
            circle = " -> ".join((*trail[trail.index(lane) :], lane))
            raise ParityError("PLATFORM_EXTENDS", f"{platform.where('lanes', lane, 'extends')}: lanes that extend each other, {circle}")
        smaller = said[lane].get("extends")
        below = members(smaller, (*trail, lane)) if smaller in said else []
        return list(dict.fromkeys([*below, *said[lane]["components"]]))

    return {lane: members(lane, ()) for lane in said}
