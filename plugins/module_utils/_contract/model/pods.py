# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a component's manifests make pods of: its workload, and its Jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import WORKLOADS, Base, Manifest, dig, items


@dataclass(frozen=True)
class Pod:
    """A pod template, and the first of its containers, which most pods have alone.

    ``once`` says that it is a Job's: its container is meant to end.
    """

    name: str
    once: bool
    manifest: Manifest
    spec: dict[str, Any]
    container: dict[str, Any]

    @property
    def where(self) -> str:
        """How it is named in messages."""
        return self.manifest.where

    @property
    def command(self) -> list[str]:
        """What replaces the image's entry point; empty where that is used."""
        return words(self.container.get("command"))

    @property
    def args(self) -> list[str]:
        """The arguments."""
        return words(self.container.get("args"))

    @property
    def literals(self) -> dict[str, str]:
        """The variables that the manifest itself gives."""
        return {str(item.get("name")): str(item["value"]) for item in items(self.container, "env") if "value" in item}

    @property
    def user(self) -> str:
        """uid:gid of its process; a part that the manifest leaves to the image is empty."""
        return ":".join(str(self.security(key, "")) for key in ("runAsUser", "runAsGroup"))

    def security(self, key: str, default: Any = None) -> Any:
        """A field of the security context: the container's, else the pod's."""
        own, pods = (dig(place, "securityContext", key) for place in (self.container, self.spec))
        found = pods if own is None else own
        return default if found is None else found


def words(value: Any) -> list[str]:
    """The words of a command; none where it is no list."""
    return [str(word) for word in value] if isinstance(value, list) else []


def pods_of(base: Base) -> dict[str, Pod]:
    """Every workload and Job by name. One without a container is left out: nothing of it runs."""
    found = {}
    for manifest in base.of_kind(*WORKLOADS, "Job"):
        spec = dig(manifest.pod_template, "spec")
        container = dig(spec, "containers", 0)
        if isinstance(spec, dict) and isinstance(container, dict):
            found[manifest.name] = Pod(manifest.name, manifest.kind == "Job", manifest, spec, container)
    return found
