# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolved contract + a role's manifests -> a Kustomize overlay, as file contents.

For a cluster of our own the overlay takes secrets, certificates and image digests
from the state directory by relative path: ``kubectl kustomize --load-restrictor
LoadRestrictionsNone`` builds it. It holds no secret itself.

For one that others deliver to (``gitops``) it stands alone: Secrets
``<service>-secrets``, ``<endpoint>-tls`` and ``<service>-<certificate>-tls`` and the
ConfigMap ``gpuaas-ca`` are read by name there, and images are called by the names of the contract.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.certificates import secret_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.consumption import reads
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import (
    MANAGED_BY,
    NAME_LABEL,
    OF_KUBERNETES,
    OURS,
    Base,
    Manifest,
    dig,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.check_manifests import CA_CONFIG_MAP, RoleCheck
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.identity import IDENTITY_ID, accounts, identity_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.kustomize_patches import Dumper, claim, patches, volume_name
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.routes import FILE as ROUTES_FILE
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.routes import Door
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml

_LABELS = {MANAGED_BY: OURS, "app.kubernetes.io/part-of": "gpuaas"}
_MADE = ("namespaces.yaml", "accounts.yaml", "volumes.yaml", "policies.yaml", "endpoints.yaml")
_HEADER = "# Rendered from the platform's folder by gpuaas.parity; changes here are lost.\n"
_KUSTOMIZATION = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
_RESTRICTED = {f"pod-security.kubernetes.io/{level}": "restricted" for level in ("enforce", "warn")}


def overlay(role: RoleCheck, state: str | None, policies: list[dict[str, Any]], door: Door | None) -> dict[str, bytes]:
    """The files of one role's overlay by path below ``rendered/<role>/``: its components' manifests and what is added to them.

    ``state`` is the relative path from there to the state directory, None where
    others deliver secrets, certificates and images. ``policies`` are the NetworkPolicies of the role's components,
    ``door`` is the ingress, where it is ours: its role has what leads to the endpoints of all.
    """
    own = door if door and door.name in role.services else None
    files = {f"base/{name}": data for name, data in role.base.files.items()}
    for name, service in role.services.items():
        if service["settings"]:
            lines = [f"{key}={value}\n" for key, value in sorted(service["settings"].items())]
            files[f"{name}.env"] = "".join(lines).encode()
    objects = (_namespaces(role), list(accounts(role)), _volumes(role), policies, own.objects() if own else [])
    made = dict(zip(_MADE, objects, strict=True))
    files |= {name: _as_yaml(documents) for name, documents in made.items() if documents}
    if own and (routes := own.file()):
        files[ROUTES_FILE] = routes
    files["kustomization.yaml"] = _as_yaml([_kustomization(role, state, files, list(door.moved()) if door else [], own)])
    return files


def role_base(components: Mapping[str, Component]) -> Base:
    """The manifests of several components as one base, each in a folder of its own."""
    files = {"kustomization.yaml": _as_yaml([{**_KUSTOMIZATION, "resources": sorted(components)}])}
    base = Base(files)
    for name, component in components.items():
        files |= {f"{name}/{file}": data for file, data in component.base.files.items()}
        base.manifests += component.base.manifests
        base.generated |= component.base.generated
    return base


def _namespaces(role: RoleCheck) -> list[dict[str, Any]]:
    """A Namespace for each that the role's components are in, under the Pod Security level ``restricted``.

    Those of Kubernetes itself are there, and one that a manifest brings stays as it is.
    """
    brought = {manifest.name for manifest in role.base.of_kind("Namespace")}
    wanted = {manifest.namespace for manifest in role.base.manifests if manifest.namespace} - brought - OF_KUBERNETES
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": _RESTRICTED}} for name in sorted(wanted)]


def _as_yaml(documents: list[dict[str, Any]]) -> bytes:
    text = yaml.dump_all(documents, Dumper=Dumper, sort_keys=False, width=1000, allow_unicode=True)
    return (_HEADER + text).encode()


def _kustomization(role: RoleCheck, state: str | None, files: Collection[str], moved: list[str], own: Door | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        **_KUSTOMIZATION,
        "resources": [*(name for name in _MADE if name in files), "base"],
        "components": [f"{state}/images"] if state else [],
        "labels": [{"pairs": _LABELS, "includeSelectors": False, "includeTemplates": True}],
        "configMapGenerator": [*_config_maps(role, state), *([_of_routes(own)] if own and ROUTES_FILE in files else ())],
        "secretGenerator": _secrets(role, state, moved, own) if state else [],
        "replicas": _replicas(role),
        "patches": patches(role, moved, shared=state is None),
    }
    return {key: value for key, value in document.items() if value}


def _volumes(role: RoleCheck) -> list[dict[str, Any]]:
    """A PersistentVolume and its claim for each service that a directory of the node is for: no provisioner to wait for.

    The claim is the one that the StatefulSet would make together with its pod. Applied before it, it is bound
    when the pod is scheduled; one that is not yet costs the scheduler a second try, seconds later.
    """
    return [
        document
        for manifest in role.base.of_kind("StatefulSet")
        if "node_path" in (service := role.services.get(manifest.name, {}))
        for document in (_volume(service, manifest.name), _first_claim(service, manifest))
    ]


def _volume(service: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume_name(service, name)},
        "spec": {
            "capacity": {"storage": service["storage"]},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "hostPath": {"path": service["node_path"], "type": "Directory"},
        },
    }


def _first_claim(service: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    template = dig(manifest.data, "spec", "volumeClaimTemplates", 0)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            # What the StatefulSet of one replica calls it.
            "name": f"{template['metadata']['name']}-{manifest.name}-0",
            "namespace": manifest.namespace,
            "labels": {NAME_LABEL: manifest.name},
        },
        "spec": {"accessModes": template["spec"]["accessModes"], **claim(service, manifest.name)},
    }


def _config_maps(role: RoleCheck, state: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": f"{name}-config", "namespace": service["namespace"], "envs": [f"{name}.env"]}
        for name, service in role.services.items()
        if service["settings"]
    ]
    if state is None:
        return found
    wanted = {m.namespace for m in role.base.manifests for read in reads(m) if (read.kind, read.name) == ("ConfigMap", CA_CONFIG_MAP)}
    found += [{"name": CA_CONFIG_MAP, "namespace": namespace, "files": [f"{state}/tls/ca.crt"]} for namespace in sorted(wanted)]
    return found


def _of_routes(door: Door) -> dict[str, Any]:
    """The component's own file of routes gives way to the one that has the endpoints."""
    return {"name": door.config_map, "namespace": door.namespace, "behavior": "replace", "files": [ROUTES_FILE]}


def _secrets(role: RoleCheck, state: str, moved: list[str], own: Door | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": f"{name}-secrets",
            "namespace": service["namespace"],
            "files": [f"{key}={state}/secrets/files/{name}/{key}" for key in sorted(service["secrets"])],
        }
        for name, service in role.services.items()
        if service["secrets"] and name not in role.asks
    ]
    found += [
        {
            "name": identity_of(name),
            "namespace": role.services[name]["namespace"],
            "files": [f"{IDENTITY_ID}={state}/secrets/files/{name}/{IDENTITY_ID}"],
        }
        for name in role.asks
        if name in role.services and role.kept
    ]
    found += [
        _certificate(name, service["namespace"], key, state)
        for name, service in role.services.items()
        for key in service.get("certificates", ())
    ]
    read = {read.name for m in role.base.manifests for read in reads(m) if read.kind == "Secret"}
    served = {m.name for m in role.base.manifests if m.kind == "Ingress"} - set(moved)
    found += [
        _endpoint_certificate(name, role.services[endpoint["service"]]["namespace"], state)
        for name, endpoint in role.endpoints.items()
        if name in served or f"{name}-tls" in read
    ]
    found += [_endpoint_certificate(name, own.namespace, state) for name in moved] if own else []
    return found


def _endpoint_certificate(endpoint: str, namespace: str, state: str) -> dict[str, Any]:
    return {
        "name": f"{endpoint}-tls",
        "namespace": namespace,
        "type": "kubernetes.io/tls",
        "files": [f"{file}={state}/tls/{endpoint}/{file}" for file in ("tls.crt", "tls.key")],
    }


def _certificate(component: str, namespace: str, key: str, state: str) -> dict[str, Any]:
    """The Secret of a component's certificate, with the CA that the other side's is verified with."""
    own = [f"{file}={state}/tls/{component}-{key}/{file}" for file in ("tls.crt", "tls.key")]
    return {
        "name": secret_of(component, key),
        "namespace": namespace,
        "type": "kubernetes.io/tls",
        "files": [f"ca.crt={state}/tls/ca.crt", *own],
    }


def _replicas(role: RoleCheck) -> list[dict[str, Any]]:
    # Kustomize refuses a count for what is not there; a DaemonSet has none.
    counted = {m.name for m in role.base.manifests if m.kind in ("Deployment", "StatefulSet")}
    return [{"name": name, "count": service["replicas"]} for name, service in role.services.items() if name in counted]
