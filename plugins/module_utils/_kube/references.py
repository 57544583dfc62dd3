# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ConfigMaps and Secrets a pod reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]


def containers(pod: Object) -> list[Object]:
    """The specs of all containers of a pod, those that run first included."""
    spec = pod.get("spec") or {}
    return [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]


def references(pod: Object) -> tuple[set[str], set[str]]:
    """The names of the ConfigMaps and of the Secrets that a pod uses: environment, volumes, projections."""
    maps: set[str | None] = set()
    hidden: set[str | None] = set()
    for container in containers(pod):
        for source in container.get("envFrom") or []:
            maps.add((source.get("configMapRef") or {}).get("name"))
            hidden.add((source.get("secretRef") or {}).get("name"))
        for variable in container.get("env") or []:
            source = variable.get("valueFrom") or {}
            maps.add((source.get("configMapKeyRef") or {}).get("name"))
            hidden.add((source.get("secretKeyRef") or {}).get("name"))
    for volume in _volumes(pod):
        maps.add((volume.get("configMap") or {}).get("name"))
        hidden.add((volume.get("secret") or {}).get("secretName") or (volume.get("secret") or {}).get("name"))
    return {name for name in maps if name}, {name for name in hidden if name}


def _volumes(pod: Object) -> Iterator[Object]:
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        yield volume
        yield from (volume.get("projected") or {}).get("sources") or []
