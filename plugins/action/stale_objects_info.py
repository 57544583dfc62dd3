# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.stale_objects_info."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._apply.stale import Leftover, stale_in_own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import hosts_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Note
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.modules.stale_objects_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Find what no component has any more."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        state_dir, kubeconfig = own_path(params["state_dir"]), own_path(params["kubeconfig"])
        stale = stale_in_own_cluster(state_dir, kubeconfig, hosts_of(read_contract(state_dir)))
        going = [one for one in stale.leftovers if not one.why]
        kept = [one for one in stale.leftovers if one.why]
        if going:
            self.emit(Note(f"no component has any more: {', '.join(str(one.identity) for one in going)}"))
        for one in kept:
            self.emit(Note(f"kept, although no component has it any more: {one.identity}, {one.why}"))
        for other in stale.shadows:
            self.emit(Note(f"{other.identity} {other.why}; if nobody needs it: kubectl --kubeconfig={kubeconfig} {other.removal}"))
        return {
            "changed": False,
            "objects": [_manifest(one) for one in going],
            "kept": [{"object": str(one.identity), "why": one.why} for one in kept],
            "shadows": [str(other.identity) for other in stale.shadows],
            "server": stale.server,
        }


def _manifest(one: Leftover) -> dict[str, Any]:
    """As short as one may be that says which object is meant."""
    name, namespace = one.identity.name, one.identity.namespace
    return {
        "apiVersion": one.api_version,
        "kind": one.identity.kind,
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
    }
