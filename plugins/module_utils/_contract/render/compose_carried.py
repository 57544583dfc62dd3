# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a pod Compose cannot carry. Nothing is dropped in silence: every field is derived, a cluster's own matter, or refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import dig, items
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import Pod

_DERIVED_OF_POD = {"containers", "volumes", "securityContext", "terminationGracePeriodSeconds", "restartPolicy"}
# Where a pod runs, what it is towards the API of a cluster, and how it asks a cluster's DNS.
_OF_CLUSTERS = (
    {"automountServiceAccountToken", "enableServiceLinks", "serviceAccountName", "imagePullSecrets", "priorityClassName"}
    | {"nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "dnsConfig"}
)  # fmt: skip
_DERIVED = (
    {"name", "image", "command", "args", "workingDir", "env", "envFrom", "ports", "resources", "securityContext", "volumeMounts"}
    | {"readinessProbe", "startupProbe"}
)  # fmt: skip
# What the kubelet does: it restarts what is not alive, reads last words, and waits before it stops what was just led to.
_OF_KUBELETS = {"imagePullPolicy", "livenessProbe", "terminationMessagePath", "terminationMessagePolicy", "lifecycle"}
_SECURITY = (
    {"runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "fsGroupChangePolicy", "seccompProfile"}
    | {"allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"}
)  # fmt: skip
_USER = re.compile(r"[0-9]+:[0-9]+")


def not_carried(pod: Pod, component: str) -> Iterator[str]:
    """Everything of a pod that Compose cannot do or may not be given, in words."""
    if len(pod.spec["containers"]) > 1:
        yield "has more than one container"
    if not _USER.fullmatch(pod.user):
        yield "states no runAsUser and runAsGroup, to whom its files are handed over"
    yield from _others("spec", pod.spec, _DERIVED_OF_POD | _OF_CLUSTERS)
    yield from _others("container", pod.container, _DERIVED | _OF_KUBELETS)
    for place, holder in (("spec", pod.spec), ("container", pod.container)):
        security = holder.get("securityContext")
        yield from _others(f"{place}.securityContext", security, _SECURITY)
        if dig(security, "seccompProfile", "type") not in (None, "RuntimeDefault"):
            yield f"has {place}.securityContext.seccompProfile, and not RuntimeDefault"
    yield from _others("container.lifecycle", pod.container.get("lifecycle"), {"preStop"})
    yield from _others("container.lifecycle.preStop", dig(pod.container, "lifecycle", "preStop"), {"sleep"})
    for mount in items(pod.container, "volumeMounts"):
        yield from _others(f"volumeMounts {mount.get('name')}", mount, {"name", "mountPath", "readOnly"})
    yield from _environment(pod, component)


def _environment(pod: Pod, component: str) -> Iterator[str]:
    """Compose hands over the component's settings, and what the manifest writes out."""
    for variable in items(pod.container, "env"):
        source = variable.get("valueFrom")
        if isinstance(source, dict) and "secretKeyRef" in source:
            yield f"has env {variable.get('name')} from a Secret: let it read the secret from a file"
        elif source:
            yield f"has env {variable.get('name')} from {', '.join(source)}"
    for source in items(pod.container, "envFrom"):
        if source != {"configMapRef": {"name": f"{component}-config"}}:
            name = dig(source, "configMapRef", "name") or dig(source, "secretRef", "name")
            yield f"has envFrom {name}, which is not ConfigMap {component}-config alone"


def _others(place: str, data: Any, known: set[str]) -> Iterator[str]:
    if isinstance(data, dict):
        # What is switched off needs nothing.
        yield from (f"has {place}.{key}" for key, value in sorted(data.items()) if key not in known and value not in (None, False))
