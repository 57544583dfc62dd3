# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Components that ask a server for their secrets: instead of the secrets they get what they log in with.

The control plane's Infisical provider reads it from ``/run/secrets/infisical``. In Kubernetes that is the id of its
machine identity and a token that the kubelet issues and renews, for a ServiceAccount of its own: the token's subject is
what tells one component from another. Where there are no such tokens it is a client id and a client secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.keeper import CLIENT_SECRET
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Manifest, dig
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.check_manifests import RoleCheck
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.json_patch import json_patch

AT = "/run/secrets/infisical"
IDENTITY_ID, CLIENT_ID = "identity_id", "client_id"
CLIENT = {CLIENT_ID: IDENTITY_ID, CLIENT_SECRET: CLIENT_SECRET}
"""The files that a container of Compose logs in with, each with the file that it is made of."""
_SECONDS = 3600


def identity_of(component: str) -> str:
    """The Secret with the id of its machine identity."""
    return f"{component}-identity"


def is_secrets(volume: Mapping[str, Any], component: str) -> bool:
    """Whether a volume of a pod holds the secrets of a component."""
    return bool(dig(volume, "secret", "secretName") == f"{component}-secrets")


def accounts(role: RoleCheck) -> Iterator[dict[str, Any]]:
    """A ServiceAccount for each component that asks; it has no rights, and its token is mounted nowhere by itself."""
    for name in sorted(set(role.asks) & set(role.services)):
        if name not in {manifest.name for manifest in role.base.of_kind("ServiceAccount")}:
            meta = {"name": name, "namespace": role.services[name]["namespace"]}
            yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, "automountServiceAccountToken": False}


def identities(role: RoleCheck) -> Iterator[dict[str, Any]]:
    """One patch for each object whose pods would mount the secrets of a component that asks a server."""
    for manifest in sorted(role.base.manifests, key=lambda m: (m.kind, m.namespace, m.name)):
        for index, volume in enumerate(dig(manifest.pod_template, "spec", "volumes") or []):
            for name in sorted(role.asks):
                if is_secrets(volume, name):
                    yield json_patch(manifest, _operations(manifest, index, str(volume["name"]), name, role.asks[name]))


def _operations(manifest: Manifest, index: int, volume_name: str, component: str, server: str) -> list[dict[str, Any]]:
    spec = "/spec/template/spec"
    token = {"path": "token", "audience": server, "expirationSeconds": _SECONDS}
    sources = [{"secret": {"name": identity_of(component)}}, {"serviceAccountToken": token}]
    volume = {"name": volume_name, "projected": {"defaultMode": 0o440, "sources": sources}}
    found: list[dict[str, Any]] = [{"op": "replace", "path": f"{spec}/volumes/{index}", "value": volume}]
    if not dig(manifest.pod_template, "spec", "serviceAccountName"):
        found.append({"op": "add", "path": f"{spec}/serviceAccountName", "value": component})
    for group in ("containers", "initContainers"):
        for i, container in enumerate(dig(manifest.pod_template, "spec", group) or []):
            for j, mount in enumerate(container.get("volumeMounts") or []):
                if mount.get("name") == volume_name:
                    found.append({"op": "replace", "path": f"{spec}/{group}/{i}/volumeMounts/{j}/mountPath", "value": AT})
    return found
