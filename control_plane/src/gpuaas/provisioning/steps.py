"""Counts the steps of workflows that this process took."""

from __future__ import annotations

from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from gpuaas.reporting.tally import Tally


class Steps(Interceptor):
    """In between Temporal and every step; one that fails may be tried again."""

    def __init__(self) -> None:
        self.done, self.failed = self.tallies = (Tally("workflow steps done"), Tally("workflow steps failed"))

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Step(next, self)


class _Step(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, steps: Steps) -> None:
        super().__init__(following)
        self._steps = steps

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        which = f"{info.activity_type} of {info.workflow_id}"
        try:
            result = await super().execute_activity(input)
        except Exception:
            self._steps.failed.add(which)
            raise
        self._steps.done.add(which)
        return result
