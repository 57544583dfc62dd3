# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolved contract + a role's manifests -> a Kustomize overlay, as file contents.

The overlay lies in ``rendered/<role>/``, two levels below the state directory,
and takes secrets, certificates and image digests from there by relative path:
``kubectl kustomize --load-restrictor LoadRestrictionsNone`` builds it. It holds
no secret itself.
"""

from __future__ import annotations

import json
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.check_manifests import CA_CONFIG_MAP, RoleCheck
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.consumption import reads
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.manifests import Manifest

_LABELS = {"app.kubernetes.io/managed-by": "gpuaas.parity", "app.kubernetes.io/part-of": "gpuaas"}
_HEADER = "# Rendered from contract/ by gpuaas.parity; changes here are lost.\n"


class _Dumper(yaml.SafeDumper):
    """Lists indented, text of several lines as a block."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def overlay(role: RoleCheck) -> dict[str, bytes]:
    """The files of one role's overlay by path below ``rendered/<role>/``."""
    files = {f"base/{name}": data for name, data in role.base.files.items()}
    for name, service in role.services.items():
        if service["settings"]:
            lines = [f"{key}={value}\n" for key, value in sorted(service["settings"].items())]
            files[f"{name}.env"] = "".join(lines).encode()
    document = yaml.dump(_kustomization(role), Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
    files["kustomization.yaml"] = (_HEADER + document).encode()
    return files


def _kustomization(role: RoleCheck) -> dict[str, Any]:
    document: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["base"],
        "components": ["../../images"],
        "labels": [{"pairs": _LABELS, "includeSelectors": False, "includeTemplates": True}],
        "configMapGenerator": _config_maps(role),
        "secretGenerator": _secrets(role),
        "replicas": _replicas(role),
        "patches": [*_left_out(role), *_hosts(role), *_storage(role)],
    }
    return {key: value for key, value in document.items() if value}


def _config_maps(role: RoleCheck) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": f"{name}-config", "namespace": service["namespace"], "envs": [f"{name}.env"]}
        for name, service in role.services.items()
        if service["settings"]
    ]
    wanted = {m.namespace for m in role.present for read in reads(m) if (read.kind, read.name) == ("ConfigMap", CA_CONFIG_MAP)}
    found += [{"name": CA_CONFIG_MAP, "namespace": namespace, "files": ["../../tls/ca.crt"]} for namespace in sorted(wanted)]
    return found


def _secrets(role: RoleCheck) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": f"{name}-secrets",
            "namespace": service["namespace"],
            "files": [f"{key}=../../secrets/files/{name}/{key}" for key in sorted(service["secrets"])],
        }
        for name, service in role.services.items()
        if service["secrets"]
    ]
    read = {read.name for m in role.present for read in reads(m) if read.kind == "Secret"}
    served = {m.name for m in role.present if m.kind == "Ingress"}
    for name, endpoint in role.endpoints.items():
        if name in served or f"{name}-tls" in read:
            found.append(
                {
                    "name": f"{name}-tls",
                    "namespace": role.services[endpoint["service"]]["namespace"],
                    "type": "kubernetes.io/tls",
                    "files": [f"{file}=../../tls/{name}/{file}" for file in ("tls.crt", "tls.key")],
                }
            )
    return found


def _replicas(role: RoleCheck) -> list[dict[str, Any]]:
    # Kustomize refuses a count for what is not there; a DaemonSet has none.
    counted = {m.name for m in role.present if m.kind in ("Deployment", "StatefulSet")}
    return [{"name": name, "count": service["replicas"]} for name, service in role.services.items() if name in counted]


def _left_out(role: RoleCheck) -> list[dict[str, Any]]:
    """Objects of services outside the lane; what belongs to no service stays."""
    kept = {id(manifest) for manifest in role.present}
    gone = [manifest for manifest in role.base.manifests if id(manifest) not in kept]
    patches = []
    for manifest in sorted(gone, key=lambda m: (m.kind, m.namespace, m.name)):
        metadata = {"name": manifest.name} | ({"namespace": manifest.namespace} if manifest.namespace else {})
        stub = {
            "$patch": "delete",
            "apiVersion": manifest.data["apiVersion"],
            "kind": manifest.kind,
            "metadata": metadata,
        }
        patches.append({"patch": yaml.dump(stub, Dumper=_Dumper, sort_keys=False)})
    return patches


def _hosts(role: RoleCheck) -> list[dict[str, Any]]:
    return [
        _json_patch(
            manifest,
            [
                {"op": "replace", "path": "/spec/rules/0/host", "value": role.endpoints[manifest.name]["host"]},
                {"op": "replace", "path": "/spec/tls/0/hosts/0", "value": role.endpoints[manifest.name]["host"]},
            ],
        )
        for manifest in role.base.of_kind("Ingress")
        if manifest.name in role.endpoints
    ]


def _storage(role: RoleCheck) -> list[dict[str, Any]]:
    claim = "/spec/volumeClaimTemplates/0/spec"
    return [
        _json_patch(
            manifest,
            [
                {
                    "op": "add",
                    "path": f"{claim}/storageClassName",
                    "value": role.services[manifest.name]["storage_class"],
                },
                {
                    "op": "add",
                    "path": f"{claim}/resources",
                    "value": {"requests": {"storage": role.services[manifest.name]["storage"]}},
                },
            ],
        )
        for manifest in role.base.of_kind("StatefulSet")
        if "storage" in role.services.get(manifest.name, {})
    ]


def _json_patch(manifest: Manifest, operations: list[dict[str, Any]]) -> dict[str, Any]:
    """A JSON Patch (RFC 6902) of one object."""
    group, _, version = manifest.data["apiVersion"].rpartition("/")
    target = {
        "group": group,
        "version": version,
        "kind": manifest.kind,
        "name": manifest.name,
        "namespace": manifest.namespace,
    }
    patch = "".join(f"- {json.dumps(operation, sort_keys=True)}\n" for operation in operations)
    return {"target": {key: value for key, value in target.items() if value}, "patch": patch}
