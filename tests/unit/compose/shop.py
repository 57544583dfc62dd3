"""A platform of one component, `shop`, whose manifest and exceptions a test edits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform, load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose import Paths
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

Object = dict[str, Any]
LABELS = {"app.kubernetes.io/name": "shop"}


def workload(kind: str, name: str, spec: Object, **more: Any) -> Object:
    """A Deployment, StatefulSet or Job of the component."""
    group = "batch/v1" if kind == "Job" else "apps/v1"
    meta = {"name": name, "namespace": "shop", "labels": {"app.kubernetes.io/name": name}}
    template = {"metadata": {"labels": {"app.kubernetes.io/name": name}}, "spec": spec}
    return {"apiVersion": group, "kind": kind, "metadata": meta, "spec": {"template": template, **more}}


def pod(**container: Any) -> Object:
    """The spec of a pod whose one container has these fields too."""
    probe = {"readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}}, "ports": [{"name": "http", "containerPort": 8000}]}
    return {
        "securityContext": {"runAsUser": 7, "runAsGroup": 8},
        "containers": [{"name": "main", "image": "shop", "envFrom": [{"configMapRef": {"name": "shop-config"}}], **probe, **container}],
        "volumes": [],
    }


class Shop:
    """`write` and `services` take what the attributes hold at that time."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "platform"
        self.component: Object = {
            "role": "front",
            "image": "shop",
            "ports": {"http": 8000},
            "settings": {"SHOP_NAME": {"type": "string", "value": "corner", "means": "x"}},
        }
        self.spec = pod()
        self.more: Object = {}
        self.kind = "Deployment"
        self.objects: list[Object] = []
        self.kustomization: Object = {}
        self.files: dict[str, str] = {}
        self.exceptions: Object = {}
        self.developed = False

    @property
    def container(self) -> Object:
        found: Object = self.spec["containers"][0]
        return found

    def mounts(self, **volumes: Any) -> None:
        """Mount these volumes, each at /<name>."""
        self.spec["volumes"] = [{"name": name, **volume} for name, volume in volumes.items()]
        self.container["volumeMounts"] = [{"name": name, "mountPath": f"/{name}"} for name in volumes]

    def write(self) -> Platform:
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop", "namespace": "shop"}}
        service["spec"] = {"selector": LABELS, "ports": [{"name": "http", "port": 8000, "targetPort": "http"}]}
        documents = [service, workload(self.kind, "shop", self.spec, **self.more), *self.objects]
        defaults = {"lane": "core", "secrets_source": "file:///run/secrets/shop", "ca_file": "/etc/shop/ca.crt"}
        secrets = {"alone": {"type": "password", "means": "x", "operator": True}}
        lanes = {"core": {"components": ["shop"]}}
        self._file("platform.yml", {"platform": 1, "domain": "shop.localhost", "lanes": lanes, "defaults": defaults, "secrets": secrets})
        for name, target, more in (
            ("compose", "compose", {"project": "shop"}),
            ("kind", "kubernetes", {"cluster": "shop"}),
            ("shared", "gitops", {}),
        ):
            mode = {"mode": name, "title": "x", "target": target, "tier": "local", "may": ["up"], "instead": "x", "port": 9443}
            self._file(f"modes/{name}.yml", mode | more)
        self._file("components/shop/component.yml", self.component)
        self._file("components/shop/kubernetes/shop.yaml", *documents)
        if self.kustomization:
            self._file("components/shop/kubernetes/kustomization.yaml", {"resources": ["shop.yaml"], **self.kustomization})
        for name, text in self.files.items():
            (self.folder / "components/shop" / name).write_text(text)
        image = {"shop": {"developed": True} if self.developed else {}}
        self._file("components/shop/image/image.yml", image)
        if self.exceptions:
            self._file("components/shop/compose.yml", self.exceptions)
        return load_platform(self.folder)

    def tree(self, mode: str = "compose") -> dict[str, bytes]:
        platform = self.write()
        return render_mode(platform, platform.mode(mode), "core", Paths("../../.parity/compose", "../..")).tree

    def services(self) -> Object:
        found: Object = yaml.safe_load(self.tree()["compose.yml"])["services"]
        return found

    def refused(self) -> ParityError:
        try:
            self.tree()
        except ParityError as error:
            return error
        raise AssertionError("nothing was refused")

    def _file(self, name: str, *documents: Object) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump_all(documents, sort_keys=False))
