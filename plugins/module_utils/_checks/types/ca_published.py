# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods trust the CA that this run made, and no older one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import KUBERNETES, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.configuration import generated, references


@dataclass(frozen=True)
class CaPublished:
    """In each namespace pods use a CA ConfigMap, and every one they use holds exactly the run's tls/ca.crt."""

    targets: ClassVar[frozenset[str]] = KUBERNETES
    namespaces: list[str]
    name: str = "gpuaas-ca"

    def run(self, context: Context) -> Observation:
        ours = context.ca_file.read_text(encoding="ascii").strip()
        for namespace in self.namespaces:
            pods = [pod for pod in context.snapshot.all("pods") if pod["metadata"].get("namespace") == namespace]
            names = {name for pod in pods for name in generated(references(pod)[0], self.name)}
            if not names:
                return failed("CONFIGURATION_DRIFT", f"no pod in {namespace} uses a configmap {self.name}")
            for name in sorted(names):
                data = (context.snapshot.read("configmaps", namespace, name) or {}).get("data") or {}
                if str(data.get("ca.crt", "")).strip() != ours:
                    return failed("CONFIGURATION_DRIFT", f"configmap {namespace}/{name} holds another CA than {context.ca_file}")
        return passed(f"{self.name} is our CA in {', '.join(self.namespaces)}")
