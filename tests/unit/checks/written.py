"""Entries of a checks.yml, and a platform of one component, as tests write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.entries import Entry, entries_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model import strict_yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File

READY = {"id": "api-ready", "proves": "ready", "phase": "up", "type": "workload", "targets": ["kubernetes", "compose"], "gate": "readiness"}


def entry(**changes: Any) -> dict[str, Any]:
    """An entry that is right, with changes; None takes a key away."""
    return {key: value for key, value in {**READY, **changes}.items() if value is not None}


def source_of(document: Any) -> File:
    """A document as it is read from a file."""
    return File("x/checks.yml", strict_yaml.load(json.dumps(document, indent=1)))


def entries(*written: dict[str, Any], component: str = "api") -> list[Entry]:
    """The entries of a component's file."""
    return entries_of(source_of(list(written)), component)


_MANIFEST = """\
apiVersion: v1
kind: Service
metadata: {name: api, namespace: small}
spec: {selector: {app.kubernetes.io/name: api}, ports: [{name: http, port: 8000, targetPort: http}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: small, labels: {app.kubernetes.io/name: api}}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: api}}
  template:
    metadata: {labels: {app.kubernetes.io/name: api}}
    spec:
      containers:
        - name: api
          image: small
          envFrom: [{configMapRef: {name: api-config}}]
          ports: [{name: http, containerPort: 8000}]
"""


def small_platform(folder: Path, api: list[dict[str, Any]], **files: Any) -> Path:
    """A platform folder whose one component, api, has these checks; ``files`` are further YAML files, by name without its end."""
    documents: dict[str, Any] = {
        "platform": {
            "platform": 1,
            "domain": "small.localhost",
            "lanes": {"core": {"components": ["api"]}},
            "defaults": {"lane": "core", "secrets_source": "file:///run/secrets/small", "ca_file": "/etc/small/ca.crt"},
        },
        "modes/kind": {
            "mode": "kind",
            "title": "one node",
            "target": "kubernetes",
            "port": 8443,
            "tier": "local",
            "may": ["up"],
            "instead": "-",
        },
        "components/api/component": {
            "role": "control_plane",
            "image": "small",
            "ports": {"http": 8000},
            "settings": {"SMALL": {"type": "string", "value": "yes", "means": "Something"}},
        },
        "components/api/checks": api,
        **files,
    }
    for name, document in documents.items():
        path = folder / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1))
    manifest = folder / "components" / "api" / "kubernetes" / "api.yaml"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(_MANIFEST)
    return folder
