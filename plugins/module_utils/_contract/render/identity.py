# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods whose service asks a server for its secrets: instead of the secrets they get what they log in with.

The control plane's Infisical provider reads it from ``/run/secrets/infisical``: the id
of its machine identity, and a token that the kubelet issues and renews.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Manifest, dig
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import Resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.check_manifests import RoleCheck
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.json_patch import json_patch

_SCHEME = "infisical+https"
_AT = "/run/secrets/infisical"
_IDENTITY = "infisical-identity"
_SECONDS = 3600
_SOURCE = "${secrets_source}"


def audiences(contract: Contract, resolved: Resolved) -> dict[str, str]:
    """The services that ask an Infisical server in this mode, with its URL, which is their tokens' audience."""
    found = {}
    for name, service in resolved["services"].items():
        for key, setting in contract.services[name].settings_in(resolved["services"]).items():
            url = urlsplit(service["settings"][key])
            if setting.value == _SOURCE and url.scheme == _SCHEME:
                found[name] = f"https://{url.netloc}"
    return found


def identities(role: RoleCheck) -> Iterator[dict[str, Any]]:
    """One patch for each object whose pods would mount the secrets of a service that asks a server."""
    for manifest in sorted(role.base.manifests, key=lambda m: (m.kind, m.namespace, m.name)):
        for index, volume in enumerate(dig(manifest.pod_template, "spec", "volumes") or []):
            server = role.asks.get(str(dig(volume, "secret", "secretName")).removesuffix("-secrets"))
            if server:
                yield json_patch(manifest, _operations(manifest, index, str(volume["name"]), server))


def _operations(manifest: Manifest, index: int, name: str, server: str) -> list[dict[str, Any]]:
    spec = "/spec/template/spec"
    token = {"path": "token", "audience": server, "expirationSeconds": _SECONDS}
    sources = [{"secret": {"name": _IDENTITY}}, {"serviceAccountToken": token}]
    volume = {"name": name, "projected": {"defaultMode": 0o440, "sources": sources}}
    found: list[dict[str, Any]] = [{"op": "replace", "path": f"{spec}/volumes/{index}", "value": volume}]
    for group in ("containers", "initContainers"):
        for i, container in enumerate(dig(manifest.pod_template, "spec", group) or []):
            for j, mount in enumerate(container.get("volumeMounts") or []):
                if mount.get("name") == name:
                    found.append({"op": "replace", "path": f"{spec}/{group}/{i}/volumeMounts/{j}/mountPath", "value": _AT})
    return found
