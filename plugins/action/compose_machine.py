# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.compose_machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._compose import delivered, machine, sources, started
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.networks import cut_off
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.ours import require_ours, things
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project, is_paused, is_unhealthy, name_of, service_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolved import load_resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._images.supplied import Supplied, file_of
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path, write_if_changed
from ansible_collections.gpuaas.parity.plugins.modules.compose_machine import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Write what only this machine knows of the project; say whether it runs so already."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        contract, docker = load_resolved(params["contract"]), Docker()
        state_dir, rendered = own_path(params["state_dir"]), own_path(params["rendered_dir"])
        name, lane = contract["project"], contract["lane"]
        require_ours(things(docker, name), name, state_dir)
        sources.require_readable(contract, Path(params["checkout"]))
        keys = Supplied.read(Path(params["supply"] or file_of(state_dir))).image_keys
        document, project = machine.load_project(rendered), Project(docker, name)
        wanted = machine.machine_file(document, lane, keys, rendered, state_dir)
        path = state_dir / "machine.yml"
        changed = write_if_changed(path, machine.as_bytes(wanted), dry=self.check_mode)
        services = {service: document["services"][service] for service in wanted["services"]}
        containers = project.containers()
        stale = sorted({*delivered.changed_since(docker, project, services, rendered, state_dir), *cut_off(document, containers)})
        current = machine.is_current(wanted, containers) and started.is_as_started(containers, state_dir) and not stale
        paused = [name_of(item) for item in containers if is_paused(item)]
        return {
            "changed": changed,
            "file": str(path),
            "project": name,
            "current": current,
            "stale": stale,
            "paused": paused,
            "outside": machine.outside(document, wanted, containers),
            "unhealthy": sorted(service_of(item) for item in containers if is_unhealthy(item)),
        }
