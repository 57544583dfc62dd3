# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which ConfigMaps and Secrets the pods of an object read, and which keys of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Manifest, dig, items


@dataclass(frozen=True)
class Read:
    """A ConfigMap or Secret that a pod reads; ``keys`` is None when it reads them all."""

    kind: str
    name: str
    keys: frozenset[str] | None


def reads(manifest: Manifest) -> list[Read]:
    """Everything the pods of ``manifest`` read: env, envFrom, volumes and projected volumes."""
    template = manifest.pod_template
    if template is None:
        return []
    spec = template["spec"]
    found: list[Read] = []
    for group in ("containers", "initContainers", "ephemeralContainers"):
        for container in items(spec, group):
            for variable in items(container, "env"):
                found += _by_key(variable.get("valueFrom"))
            for source in items(container, "envFrom"):
                found += _whole(source)
    for volume in items(spec, "volumes"):
        found += _volume(volume)
        for source in items(volume.get("projected"), "sources"):
            found += _volume(source)
    return found


def keys_read(found: list[Read], kind: str, name: str) -> frozenset[str] | bool | None:
    """The keys of one ConfigMap or Secret that are read: False for none of it, None for all of it."""
    own = [read for read in found if (read.kind, read.name) == (kind, name)]
    if not own:
        return False
    named = [read.keys for read in own]
    if any(keys is None for keys in named):
        return None
    return frozenset[str]().union(*(keys for keys in named if keys is not None))


def _by_key(source: Any) -> Iterator[Read]:
    for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if name := dig(source, field, "name"):
            yield Read(kind, str(name), frozenset({str(dig(source, field, "key"))}))


def _whole(source: dict[str, Any]) -> Iterator[Read]:
    for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        if name := dig(source, field, "name"):
            yield Read(kind, str(name), None)


def _volume(source: dict[str, Any]) -> Iterator[Read]:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        # A volume says secretName, a projected source says name.
        name = dig(source, field, "secretName") or dig(source, field, "name")
        if name:
            keys = frozenset(str(item.get("key")) for item in items(source.get(field), "items"))
            yield Read(kind, str(name), keys or None)
