"""The engine's loop, with time that passes only when it waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import Engine, State, interval
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Check, Context, Observation, Result, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import Clock, MakeContext


class Inline(Executor):
    """Runs a look at once, in the thread that asks for it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass
class Scripted:
    """A check that sees one thing after the other, the last one for ever."""

    story: list[Any]
    clock: Clock
    takes: float = 0
    looks: list[float] = field(default_factory=list)

    def run(self, context: Context) -> Observation:
        self.looks.append(self.clock())
        self.clock.sleep(self.takes)
        item = self.story.pop(0) if len(self.story) > 1 else self.story[0]
        if isinstance(item, Exception):
            raise item
        assert isinstance(item, Observation)
        return item


def check(name: str, body: Any, budget: float | None = None, proves: str = "ready") -> Check:
    return Check(name, name.partition("-")[0], proves, "up", "scripted", body, budget)


NOT_YET = failed("WORKLOAD_NOT_READY", "pod x starting (0/1)")


class Run:
    """Runs checks inline against a clock, and records the reported progress."""

    def __init__(self, clock: Clock, context: Context) -> None:
        self.clock, self.context, self.told, self.ticks = clock, context, [], 0  # type: ignore[var-annotated]

    def __call__(self, checks: Sequence[Check], timeout: float) -> list[Result]:
        def context() -> Context:
            self.ticks += 1
            return self.context

        def progress(states: Sequence[State], elapsed: float) -> None:
            self.told.append((elapsed, [state.last.ok for state in states]))

        def pause(_futures: Sequence[Future[Observation]], seconds: float) -> None:
            self.clock.sleep(max(seconds, 0.01))

        return Engine(context, self.clock, progress, Inline(), pause).run(checks, timeout)


@pytest.fixture
def run(clock: Clock, make_context: MakeContext) -> Run:
    return Run(clock, make_context())


def test_it_waits_until_all_hold(run: Run, clock: Clock) -> None:
    slow, quick = Scripted([NOT_YET, NOT_YET, passed("up")], clock), Scripted([passed("there")], clock)
    results = run([check("slow", slow), check("quick", quick)], 60)
    assert [(r.check.id, r.ok, r.attempts, r.seen, r.reason, r.do) for r in results] == [
        ("slow", True, 3, "up", "", ""),
        ("quick", True, 1, "there", "", ""),
    ]
    assert results[0].seconds == pytest.approx(1.0)
    assert run.ticks == 3
    assert run.told[-1] == (pytest.approx(1.0), [True, True])


def test_a_check_that_held_is_not_asked_again(run: Run, clock: Clock) -> None:
    quick = Scripted([passed("there"), NOT_YET], clock)
    assert all(r.ok for r in run([check("quick", quick), check("slow", Scripted([NOT_YET, passed("up")], clock))], 60))
    assert len(quick.looks) == 1


def test_once_means_once(run: Run, clock: Clock) -> None:
    body = Scripted([NOT_YET, passed("later")], clock)
    (result,) = run([check("a", body)], 0)
    assert (result.ok, result.reason, result.attempts) == (False, "WORKLOAD_NOT_READY", 1)
    assert result.do


def test_the_deadline_names_what_was_last_seen(run: Run, clock: Clock) -> None:
    results = run([check("api-ready", Scripted([NOT_YET], clock)), check("ok", Scripted([passed("fine")], clock))], 20)
    assert (results[0].reason, results[0].details["cause"]) == ("READY_TIMEOUT", "WORKLOAD_NOT_READY")
    assert results[0].seen == "not ready after 20 s; last seen: pod x starting (0/1)"
    assert results[0].seconds == pytest.approx(20, abs=0.5)
    assert results[1].ok


def test_a_budget_ends_the_wait_for_all(run: Run, clock: Clock) -> None:
    results = run([check("a", Scripted([NOT_YET], clock), budget=5), check("b", Scripted([NOT_YET], clock))], 100)
    assert [r.reason for r in results] == ["READY_TIMEOUT", "CHECK_UNFINISHED"]
    assert "after 5 s" in results[0].seen
    assert clock() - 1000 < 7


def test_what_cannot_heal_is_given_its_grace_and_no_more(run: Run, clock: Clock) -> None:
    hopeless = failed("IMAGE_NOT_ON_NODE", "pod x: ImagePullBackOff", grace=10)
    results = run([check("a", Scripted([NOT_YET, hopeless], clock)), check("b", Scripted([NOT_YET], clock))], 300)
    assert [r.reason for r in results] == ["IMAGE_NOT_ON_NODE", "CHECK_UNFINISHED"]
    assert 10 <= clock() - 1000 < 12


def test_a_failed_job_ends_the_wait_at_once(run: Run, clock: Clock) -> None:
    (result,) = run([check("a", Scripted([failed("JOB_FAILED", "job/x", grace=0)], clock))], 300)
    assert result.reason == "JOB_FAILED"
    assert clock() == 1000


def test_what_heals_within_its_grace_is_waited_for(run: Run, clock: Clock) -> None:
    broken = failed("CONTAINER_CONFIG_BROKEN", "pod x", grace=20)
    (result,) = run([check("a", Scripted([broken, broken, NOT_YET, broken, passed("up")], clock))], 300)
    assert result.ok


def test_a_grace_begins_anew_when_the_failure_went_away(run: Run, clock: Clock) -> None:
    broken = failed("CONTAINER_CONFIG_BROKEN", "pod x", grace=1.5)
    story = [broken, broken, broken, NOT_YET, broken, broken, broken, passed("up")]
    (result,) = run([check("a", Scripted(story, clock))], 300)
    assert result.ok


@pytest.mark.parametrize("timeout", [0, 3])
def test_a_check_that_raises_has_failed(run: Run, clock: Clock, timeout: float) -> None:
    (result,) = run([check("a", Scripted([ZeroDivisionError("oops")], clock))], timeout)
    assert result.ok is False
    assert "ZeroDivisionError: oops" in result.seen
    assert "CHECK_ERROR" in (result.reason, result.details.get("cause"))
    assert "Traceback" in result.details["traceback"]


def test_a_failure_of_ours_keeps_its_reason_and_advice(run: Run, clock: Clock) -> None:
    (result,) = run([check("a", Scripted([ParityError("KUBE_API_UNREACHABLE", "nobody", "type this")], clock))], 0)
    assert (result.reason, result.seen, result.do) == ("KUBE_API_UNREACHABLE", "nobody", "type this")
    assert "advice" not in result.details


def test_an_unreachable_api_is_waited_for(run: Run, clock: Clock) -> None:
    (result,) = run([check("a", Scripted([ParityError("KUBE_API_UNREACHABLE", "nobody"), passed("up")], clock))], 60)
    assert result.ok


def test_it_looks_often_at_first_and_calmly_later() -> None:
    assert [interval(elapsed) for elapsed in (0, 8, 20, 100)] == [0.5, 0.25, 0.5, 1.0]


def test_real_threads_look_side_by_side(make_context: MakeContext) -> None:
    import threading
    import time

    both = threading.Barrier(2, timeout=10)

    class Meeting:
        def run(self, context: Context) -> Observation:
            both.wait()
            return passed("met")

    engine = Engine(make_context, time.monotonic, lambda _states, _elapsed: None)
    assert all(result.ok for result in engine.run([check("a", Meeting()), check("b", Meeting())], 0))
