# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply of Kustomize bases through kubectl (KEP-555).

kubectl does not say whether an apply changed anything, so the objects are read
before and compared: a no-op apply leaves the generation of a workload, and the
resourceVersion of an object that has no generation, as they were.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.guard import own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import clean_env, run, tail

FIELD_MANAGER = "gpuaas.parity"
_SECONDS = 120
# Namespaces first, then what pods refer to; kubectl keeps the order it is given.
_FIRST = (
    "Namespace",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "IngressClass",
    "Service",
)


@dataclass(frozen=True)
class Kubectl:
    """kubectl with an explicit kubeconfig; nothing ambient reaches it."""

    program: Path
    kubeconfig: Path
    cache: Path

    def __call__(self, *arguments: str, input: str | None = None, check: bool = True) -> str:
        argv = [str(self.program), f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.cache}", *arguments]
        done = run(argv, input=input, timeout=_SECONDS, check=False, env=clean_env())
        if check and done.rc != 0:
            raise ParityError("APPLY_FAILED", tail(done.stderr) or f"kubectl {arguments[0]} ended with status {done.rc}")
        return done.stdout

    def build(self, bases: Sequence[Path]) -> list[dict[str, Any]]:
        """The objects of Kustomize bases, by one build. Secrets stay in memory: their files lie beside the rendering."""
        self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="apply-", dir=self.cache) as folder:
            # Kustomize takes relative paths only.
            resources = [os.path.relpath(base.resolve(), Path(folder).resolve()) for base in bases]
            (Path(folder) / "kustomization.yaml").write_text(json.dumps({"resources": resources}), encoding="utf-8")
            argv = [str(self.program), "kustomize", "--load-restrictor=LoadRestrictionsNone", folder]
            done = run(argv, timeout=_SECONDS, check=False, env=clean_env())
        if done.rc != 0:
            raise ParityError("APPLY_BASE_INVALID", f"{', '.join(map(str, bases))}: {tail(done.stderr)}")
        # kustomize writes YAML 1.1-safe output; the C loader keeps this off the hot path.
        return [document for document in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if document]


@dataclass(frozen=True)
class Applied:
    """What an apply did: identities as ``Kind namespace/name``."""

    created: list[str]
    configured: list[str]
    unchanged: list[str]


def apply_to_own_cluster(program: Path, state_dir: Path, kubeconfig: Path, bases: Sequence[Path], dry: bool = False) -> Applied:
    """`apply` with the kubectl ``program``, once ``own_cluster`` has proved that the cluster is the run's own.

    Raises ParityError as ``own_cluster``, before anything is sent, and as ``apply``.
    """
    with own_cluster(state_dir, kubeconfig) as pinned:
        return apply(Kubectl(program, pinned, state_dir / "kubectl-cache"), bases, dry)


def apply(kubectl: Kubectl, bases: Sequence[Path], dry: bool = False) -> Applied:
    """Apply all objects of ``bases`` at once; ``dry`` asks the server what it would do.

    Raises ParityError ``APPLY_BASE_INVALID`` when a base cannot be built and
    ``APPLY_FAILED`` with what the server said.
    """
    objects = kubectl.build(bases)
    objects.sort(key=lambda o: _FIRST.index(o["kind"]) if o["kind"] in _FIRST else len(_FIRST))
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    found = kubectl("get", "--filename=-", "--ignore-not-found", "--output=json", input=text)
    before = _states(found)
    failed = [item for item in _items(found) if item["kind"] == "Job" and _has_failed(item)]
    if failed and not dry:
        # A Job that gave up never runs again by itself; applying it anew means trying again.
        _delete(kubectl, failed)
        before = {name: state for name, state in before.items() if name not in map(_identity, failed)}
    if dry:
        # A dry run cannot see the namespaces that it only pretends to create.
        after = before if not before else _states(_server_side(kubectl, text, "--dry-run=server"))
    else:
        after = _states(_apply(kubectl, objects, text))
    created = [_identity(o) for o in objects if _identity(o) not in before]
    configured = [name for name in map(_identity, objects) if name in before and after.get(name) != before[name]]
    settled = {*created, *configured}
    return Applied(created, configured, [name for name in map(_identity, objects) if name not in settled])


def _apply(kubectl: Kubectl, objects: Sequence[dict[str, Any]], text: str) -> str:
    try:
        return _server_side(kubectl, text)
    except ParityError as error:
        if "field is immutable" not in error.seen:
            raise
        # A Job's template cannot be changed (batch/v1, JobSpec.template): a new
        # image or setting means a new run of it.
        jobs = [o for o in objects if o["kind"] == "Job" and f'"{o["metadata"]["name"]}"' in error.seen]
        if not jobs:
            raise
        _delete(kubectl, jobs)
        return _server_side(kubectl, text)


def _server_side(kubectl: Kubectl, text: str, *more: str) -> str:
    return kubectl(
        "apply",
        "--server-side",
        "--force-conflicts",
        f"--field-manager={FIELD_MANAGER}",
        "--output=json",
        "--filename=-",
        *more,
        input=text,
    )


def _identity(obj: dict[str, Any]) -> str:
    meta = obj["metadata"]
    return f"{obj['kind']} {meta['namespace']}/{meta['name']}" if meta.get("namespace") else f"{obj['kind']} {meta['name']}"


def _delete(kubectl: Kubectl, objects: Sequence[dict[str, Any]]) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    kubectl("delete", "--filename=-", "--ignore-not-found", "--wait=true", input=text)


def _has_failed(job: dict[str, Any]) -> bool:
    conditions = job.get("status", {}).get("conditions") or []
    return any(condition["type"] == "Failed" and condition["status"] == "True" for condition in conditions)


def _items(text: str) -> list[dict[str, Any]]:
    if not text.strip():
        return []
    document = json.loads(text)
    return list(document["items"]) if document.get("kind") == "List" else [document]


def _states(text: str) -> dict[str, Any]:
    return {_identity(item): _state(item["metadata"]) for item in _items(text)}


def _state(meta: dict[str, Any]) -> tuple[Any, ...]:
    version = meta.get("generation") or meta.get("resourceVersion")
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if not k.startswith("deployment.kubernetes.io/")}
    return (meta.get("uid"), version, meta.get("labels"), annotations)
