"""A workflow that is under way goes on when its code changes: histories of before are replayed by the code of now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from gpuaas.provisioning.order import Order
from gpuaas.provisioning.temporal import NAMESPACE, WORKFLOWS
from support import histories
from support.payloads import CONVERTER

KEPT = histories.kept()


def replay(history: WorkflowHistory, *workflows: type) -> None:
    replayer = Replayer(workflows=workflows, namespace=NAMESPACE, data_converter=CONVERTER)
    asyncio.run(replayer.replay_workflow(history))


@pytest.mark.parametrize("name", KEPT)
def test_a_history_of_before_is_replayed(name: str) -> None:
    replay(KEPT[name], *WORKFLOWS)


def _types() -> Iterator[str]:
    for history in KEPT.values():
        yield history.events[0].workflow_execution_started_event_attributes.workflow_type.name


def test_every_workflow_with_several_steps_has_a_history() -> None:
    operations = {"StopInstance", "StartInstance", "ResizeInstance"}
    assert {"ProvisionInstance", "ReleaseInstance", "SettleInstance"} | operations <= set(_types())


def test_a_patched_workflow_has_a_history_of_each_version() -> None:
    """Who settles released all that was held, and now only what is unwanted."""
    steps = {name: list(_steps(KEPT[name])) for name in ("settled", "settled-only-what-is-unwanted")}
    assert steps == {
        "settled": ["record_lost", "release"],
        "settled-only-what-is-unwanted": ["record_lost", "release_unwanted"],
    }


def _steps(history: WorkflowHistory) -> Iterator[str]:
    for event in history.events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            yield event.activity_task_scheduled_event_attributes.activity_type.name


@workflow.defn(name="ReleaseInstance", sandboxed=False)
class _Changed:
    """Somebody took a step for another."""

    @workflow.run
    async def run(self, order: Order) -> str:
        await workflow.execute_activity("record_released", order, start_to_close_timeout=timedelta(seconds=1))
        return "released"


def test_a_change_that_breaks_what_is_under_way_is_seen() -> None:
    with pytest.raises(NondeterminismError):
        replay(KEPT["released"], _Changed)
