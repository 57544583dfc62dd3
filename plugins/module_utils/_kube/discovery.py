# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kinds of objects an API server has, and their metadata without the rest of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

Object = dict[str, Any]

# Aggregated discovery (KEP-3352): every group in two answers instead of one for each.
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
# Of a Secret nothing but its name is wanted, so nothing else is asked for.
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Reader(Protocol):
    """The part of KubeReader that discovery needs."""

    def get(self, path: str, params: dict[str, str] | None = None, accept: str = "application/json") -> Object | None: ...


@dataclass(frozen=True)
class Resource:
    """A kind of objects, and where the API keeps them: ``name`` is its plural, as in a URL."""

    group: str
    version: str
    kind: str
    name: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """As ``apiVersion`` of an object."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "") -> str:
        """The URL path of all objects of it, or of a namespace's."""
        root = f"/apis/{self.group}" if self.group else "/api"
        return "/".join([root, self.version, *(["namespaces", namespace] if namespace else []), self.name])


def objects(reader: Reader, resource: Resource) -> list[Object]:
    """All objects of a kind, whole, each with its kind: a list leaves that out.

    Raises ParityError as KubeReader does.
    """
    named = {"apiVersion": resource.api_version, "kind": resource.kind}
    return [{**item, **named} for item in (reader.get(resource.path()) or {}).get("items") or []]


def removable(reader: Reader) -> list[Resource]:
    """Every kind whose objects can be listed and deleted, each once, in the version that its group prefers.

    Raises ParityError as KubeReader does.
    """
    found: dict[tuple[str, str], Resource] = {}
    for path in ("/api", "/apis"):
        for resource in _resources(reader.get(path, accept=_DISCOVERY) or {}):
            found.setdefault((resource.group, resource.name), resource)
    return list(found.values())


def metadata(reader: Reader, resource: Resource, namespace: str = "", labels: str = "") -> list[Object]:
    """The metadata of all objects of a kind, of a namespace or of all; a label selector narrows it.

    Raises ParityError as KubeReader does.
    """
    params = {"resourceVersion": "0", **({"labelSelector": labels} if labels else {})}
    body = reader.get(resource.path(namespace), params, _METADATA) or {}
    return [item["metadata"] for item in body.get("items") or []]


def _resources(answer: Object) -> Iterator[Resource]:
    for group in answer.get("items") or []:
        for version in group["versions"]:
            for raw in version.get("resources") or []:
                if {"list", "delete"} <= set(raw["verbs"]):
                    name = group["metadata"].get("name", "")
                    yield Resource(name, version["version"], raw["responseKind"]["kind"], raw["resource"], raw["scope"] == "Namespaced")
