# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods trust the CA that this run made, and no older one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.rollout import pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed

Object = dict[str, Any]


def maps_at(pod: Object, folder: str) -> Iterator[tuple[str, str]]:
    """Each container that mounts a ConfigMap at ``folder``, and the ConfigMap's name."""
    spec = pod.get("spec") or {}
    maps = {volume["name"]: (volume.get("configMap") or {}).get("name") for volume in spec.get("volumes") or []}
    for container in spec.get("containers") or []:
        for mount in container.get("volumeMounts") or []:
            name = maps.get(mount.get("name"))
            if name and str(mount.get("mountPath")).rstrip("/") == folder:
                yield str(container["name"]), str(name)


@dataclass(frozen=True)
class PodCa:
    """In every pod of the component ``file`` comes from a ConfigMap that holds exactly the run's tls/ca.crt."""

    component: str
    file: str

    def run(self, context: Context) -> Observation:
        path, ours = PurePosixPath(self.file), context.ca_file.read_text(encoding="ascii").strip()
        namespace = str(context.service(self.component)["namespace"])
        pods = pods_of(context, self.component)
        if not pods:
            return failed("CONFIGURATION_DRIFT", f"{self.component} has no pod in {namespace}")
        for pod in pods:
            mounted = list(maps_at(pod, str(path.parent)))
            if not mounted:
                return failed("CONFIGURATION_DRIFT", f"pod {pod['metadata']['name']} mounts no ConfigMap at {path.parent}")
            for _container, name in mounted:
                data = (context.snapshot.read("configmaps", namespace, name) or {}).get("data") or {}
                if str(data.get(path.name, "")).strip() != ours:
                    return failed("CONFIGURATION_DRIFT", f"configmap {namespace}/{name} holds another CA than {context.ca_file}")
        return passed(f"{self.file} is our CA in the pods of {self.component}")
