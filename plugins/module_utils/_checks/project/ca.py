# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers trust the CA that this run made, and no older one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import is_running, name_of

_PATIENCE = 10.0


@dataclass(frozen=True)
class ContainerCa:
    """In each running container of the component ``file`` is the run's tls/ca.crt."""

    component: str
    file: str

    def run(self, context: Context) -> Observation:
        ours = hashlib.sha256(context.ca_file.read_bytes()).hexdigest()
        running = [item for item in context.project.of(self.component) if is_running(item)]
        if not running:
            return failed("CONFIGURATION_DRIFT", f"no container of {self.component} runs")
        for container in running:
            done = context.docker.call("exec", str(container["Id"]), "sha256sum", self.file, timeout=_PATIENCE, check=False)
            if done.rc != 0:
                return failed("CONFIGURATION_DRIFT", f"{self.file} cannot be read in {name_of(container)}")
            if done.stdout.split()[:1] != [ours]:
                return failed("CONFIGURATION_DRIFT", f"{self.file} in {name_of(container)} is another CA than {context.ca_file}")
        return passed(f"{self.file} is our CA in the containers of {self.component}")
