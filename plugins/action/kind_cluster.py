# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.kind_cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._images.supplied import Supplied, file_of
from ansible_collections.gpuaas.parity.plugins.module_utils._kind import converge
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.api import Waiting
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.cluster import Site
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.observe import cgroup_version
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import ClusterSpec, PortMap
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.modules.kind_cluster import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Bring a kind cluster to the state that is asked for."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        state_dir = own_path(params["state_dir"])
        kubeconfig = own_path(params["kubeconfig"] or state_dir / "kubeconfig")
        site = Site(state_dir, kubeconfig, emit=self.emit)
        spec = ClusterSpec(name=params["name"], node_image="")
        if params["state"] == "present":
            supplied = Supplied.read(Path(params["supply"] or file_of(state_dir)))
            site, spec = replace(site, kind=supplied.kind), _wanted(params, supplied, site.docker)
            done = converge.present(site, spec, Waiting(params["wait_seconds"], emit=self.emit), check_mode=self.check_mode)
        elif params["state"] == "stopped":
            done = converge.stopped(site, spec, check_mode=self.check_mode)
        else:
            done = converge.absent(site, spec, check_mode=self.check_mode)
        result: dict[str, Any] = {
            "changed": done.changed,
            "actions": list(done.actions),
            "before": done.before,
            "after": done.after,
            "drift": [drift.as_dict() for drift in done.drift],
            "kubeconfig": str(kubeconfig),
            "residue": [],
        }
        if done.identity:
            result.update(uid=done.identity.uid, kubernetes_version=done.identity.version)
        if done.drift:
            result["warnings"] = [self.advise(f"cluster {spec.name}: {drift}") for drift in done.drift]
        if self.diff_mode:
            result["diff"] = {
                "before_header": f"cluster {spec.name}",
                "after_header": f"cluster {spec.name}",
                "before": f"{done.before}\n",
                "after": "".join(f"{line}\n" for line in (done.after, *(f"# {action}" for action in done.actions))),
            }
        return result


def _wanted(params: dict[str, Any], supplied: Supplied, docker: Docker) -> ClusterSpec:
    return ClusterSpec(
        name=params["name"],
        node_image=supplied.node_image,
        ports=tuple(PortMap(p["host_port"], p["node_port"], p["listen"]) for p in params["ports"]),
        directories=tuple(params["directories"]),
        default_cni=supplied.default_cni,
        cgroup_version=params["cgroup_version"] or cgroup_version(docker),
    )
