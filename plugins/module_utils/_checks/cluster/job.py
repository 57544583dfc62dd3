# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job has completed."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.rollout import in_room
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed


@dataclass(frozen=True)
class ClusterJob:
    """The job ``name`` of a component is Complete. A job that is Failed does not get better by waiting."""

    component: str
    name: str

    def run(self, context: Context) -> Observation:
        namespace = str(context.service(self.component)["namespace"])
        job = context.snapshot.find("jobs", namespace, self.name)
        if job is None:
            return failed("JOB_NOT_COMPLETE", f"job/{self.name} is not in namespace {namespace}")
        conditions = {c.get("type"): c for c in (job.get("status") or {}).get("conditions") or [] if c.get("status") == "True"}
        if "Complete" in conditions:
            return passed(f"job/{self.name} is complete")
        if "Failed" in conditions:
            said = conditions["Failed"].get("message") or conditions["Failed"].get("reason")
            return failed("JOB_FAILED", f"job/{self.name}: {said}", grace=0.0)
        pods = context.snapshot.pods(namespace, {"batch.kubernetes.io/job-name": self.name})
        if not pods:
            return failed("JOB_NOT_COMPLETE", f"job/{self.name} has no pod yet")
        found = in_room(context.snapshot, pods[-1])
        reason = "JOB_NOT_COMPLETE" if found.grace is None else found.reason
        return failed(reason, found.seen, found.grace)
