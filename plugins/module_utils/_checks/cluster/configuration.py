# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What running pods are configured with is what the contract says: keys and values, and nothing else."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.rollout import pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.references import containers, references
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.identities import IDENTITY_ID

Object = dict[str, Any]


def generated(names: set[str], base: str) -> set[str]:
    """Those names that Kustomize makes of a base name: the name itself, or with a hash suffix."""
    return {name for name in names if name == base or (name.startswith(f"{base}-") and "-" not in name[len(base) + 1 :])}


def difference(found: set[str], wanted: set[str]) -> str:
    """What a set of keys lacks and has too much, in words; empty when it is as wanted."""
    parts = []
    if wanted - found:
        parts.append(f"lacks {', '.join(sorted(wanted - found))}")
    if found - wanted:
        parts.append(f"has unknown {', '.join(sorted(found - wanted))}")
    return " and ".join(parts)


def settings_of(snapshot: Snapshot, namespace: str, service: str, pods: list[Object]) -> dict[str, dict[str, str]]:
    """The settings ConfigMaps that pods use, by name, with their data."""
    names = {name for pod in pods for name in generated(references(pod)[0], f"{service}-config")}
    found = {name: snapshot.read("configmaps", namespace, name) for name in sorted(names)}
    return {name: dict((item or {}).get("data") or {}) for name, item in found.items()}


def secret_differs(snapshot: Snapshot, namespace: str, name: str, wanted: Mapping[str, Path]) -> str:
    """How a Secret differs from the files that it should be made of, in words and without a value; empty when it does not."""
    data = (snapshot.read("secrets", namespace, name) or {}).get("data") or {}
    differs = difference(set(data), set(wanted))
    if differs:
        return f"secret {name} {differs}"
    for key, file in sorted(wanted.items()):
        try:
            ours, theirs = (file.read_bytes(), base64.b64decode(data[key], validate=True))
        except (OSError, binascii.Error) as error:
            return f"secret {name}: {key} cannot be compared: {type(error).__name__}"
        if not hmac.compare_digest(hashlib.sha256(ours).digest(), hashlib.sha256(theirs).digest()):
            return f"secret {name}: {key} is not what {file} holds"
    return ""


@dataclass(frozen=True)
class PodConfiguration:
    """The pods of a component use exactly one settings ConfigMap, whose keys and values are the contract's.

    None when the contract gives it no settings. And one Secret, when the contract gives it secrets: its keys are the
    contract's, and its values equal the files under secrets/files/ by SHA-256. Where a server has its secrets they use
    one with the id of its identity instead, and none with secrets. Values of secrets are neither shown nor
    kept. A container that overrides a setting in its own environment is a failure as well.
    """

    component: str

    def run(self, context: Context) -> Observation:
        service = context.service(self.component)
        namespace = str(service["namespace"])
        pods = pods_of(context, self.component)
        if not pods:
            return failed("CONFIGURATION_DRIFT", f"{self.component} has no pod in {namespace}")
        settings = {key: str(value) for key, value in (service.get("settings") or {}).items()}
        wrong = self._settings(context, namespace, pods, settings) or self._overrides(pods, settings)
        wrong = wrong or self._secrets(context, namespace, pods, service)
        if wrong:
            return failed("CONFIGURATION_DRIFT", wrong)
        count = len(service.get("secrets") or {})
        return passed(f"{self.component}: {len(settings)} settings and {count} secrets are the contract's")

    def _settings(self, context: Context, namespace: str, pods: list[Object], wanted: dict[str, str]) -> str:
        found = settings_of(context.snapshot, namespace, self.component, pods)
        if len(found) != (1 if wanted else 0):
            count = "exactly one" if wanted else "none"
            return f"the pods of {self.component} use {', '.join(found) or 'no'} {self.component}-config, not {count}"
        for name, data in found.items():
            differs = difference(set(data), set(wanted))
            if differs:
                return f"configmap {name} {differs}"
            changed = [key for key in sorted(wanted) if data[key] != wanted[key]]
            if changed:
                key = changed[0]
                return f"configmap {name}: {key} is {data[key]!r}, the contract says {wanted[key]!r}"
        return ""

    def _overrides(self, pods: list[Object], wanted: dict[str, str]) -> str:
        for pod in pods:
            for container in containers(pod):
                for variable in container.get("env") or []:
                    if variable.get("name") in wanted and variable.get("value") != wanted[variable["name"]]:
                        return f"pod {pod['metadata']['name']} overrides {variable['name']} in its own environment"
        return ""

    def _secrets(self, context: Context, namespace: str, pods: list[Object], service: Mapping[str, Any]) -> str:
        held = {"secrets": set(service.get("secrets") or {}), "identity": set()}
        if "identity" in service:
            held = {"secrets": set(), "identity": {IDENTITY_ID}}
        return next(filter(None, (self._of_kind(context, namespace, pods, kind, wanted) for kind, wanted in held.items())), "")

    def _of_kind(self, context: Context, namespace: str, pods: list[Object], kind: str, wanted: set[str]) -> str:
        names = {name for pod in pods for name in generated(references(pod)[1], f"{self.component}-{kind}")}
        if len(names) != (1 if wanted else 0):
            count = "exactly one" if wanted else "none"
            used = ", ".join(sorted(names)) or "no"
            return f"the pods of {self.component} use {used} {self.component}-{kind}, not {count}"
        files = context.state_dir / "secrets" / "files" / self.component
        for name in names:
            wrong = secret_differs(context.snapshot, namespace, name, {key: files / key for key in wanted})
            if wrong:
                return wrong
        return ""
