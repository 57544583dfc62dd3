# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of the Compose project that is meant to end has done its work."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import is_done, name_of, state_of


@dataclass(frozen=True)
class ProjectJob:
    """The last container of ``service`` has exited with 0. A job that failed does not get better by waiting."""

    service: str

    def run(self, context: Context) -> Observation:
        found = context.project.of(self.service)
        if not found:
            return failed("JOB_NOT_COMPLETE", f"the project {context.project.name} has no container of {self.service}")
        container, state = found[-1], state_of(found[-1])
        if is_done(container):
            return passed(f"{self.service} has exited with 0")
        if state.get("Status") in ("exited", "dead"):
            return failed("JOB_FAILED", f"{self.service} ended with {state.get('ExitCode')} (container {name_of(container)})", grace=0.0)
        return failed("JOB_NOT_COMPLETE", f"{self.service} is {state.get('Status')} (container {name_of(container)})")
