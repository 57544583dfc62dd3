# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""Pods trust the CA that this run made, and no older one."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import Context, Observation, failed, passed


@dataclass(frozen=True)
class CaPublished:
    """The CA ConfigMap of each namespace holds exactly the run's tls/ca.crt."""

    namespaces: list[str]
    name: str = "gpuaas-ca"

    def run(self, context: Context) -> Observation:
        ours = context.ca_file.read_text(encoding="ascii").strip()
        for namespace in self.namespaces:
            found = context.snapshot.read("configmaps", namespace, self.name)
            if found is None:
                return failed("CONFIGURATION_DRIFT", f"configmap {self.name} is not in {namespace}")
            if str((found.get("data") or {}).get("ca.crt", "")).strip() != ours:
                return failed("CONFIGURATION_DRIFT", f"configmap {namespace}/{self.name} holds another CA than {context.ca_file}")
        return passed(f"{self.name} is our CA in {', '.join(self.namespaces)}")
