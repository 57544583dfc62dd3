# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers trust the CA that this run made, and no older one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.folder import digests_in
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import is_lasting_or_done, name_of


@dataclass(frozen=True)
class ContainerCa:
    """In each container of the component that runs, or has done what it is for, ``file`` is the run's tls/ca.crt."""

    component: str
    file: str

    def run(self, context: Context) -> Observation:
        ours, path = hashlib.sha256(context.ca_file.read_bytes()).hexdigest(), PurePosixPath(self.file)
        running = [item for item in context.project.of(self.component) if is_lasting_or_done(item)]
        if not running:
            return failed("CONFIGURATION_DRIFT", f"no container of {self.component} runs")
        for container in running:
            found = digests_in(context, container, str(path.parent))
            if found is None or path.name not in found:
                return failed("CONFIGURATION_DRIFT", f"{self.file} cannot be read in {name_of(container)}")
            if found[path.name] != ours:
                return failed("CONFIGURATION_DRIFT", f"{self.file} in {name_of(container)} is another CA than {context.ca_file}")
        return passed(f"{self.file} is our CA in the containers of {self.component}")
