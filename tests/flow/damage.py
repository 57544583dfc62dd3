"""Does what a plan says, to the containers of a Compose project."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running

from . import clock, engine, network, stream, work
from .plan import Fault
from .target import Target


def _fleet(project: Running, fault: Fault) -> None:
    try:
        project.inside("gpu-fleet", "/opt/gpu-fleet/bin/gpu-fleet", "fault", "set", json.dumps(fault.to))
    except subprocess.CalledProcessError:
        print("         the fleet is away itself", flush=True)


KINDS: dict[str, Callable[[Running, Fault], None]] = {
    "away": engine.kill,
    "fleet": _fleet,
    "full": stream.full,
    "kill": engine.kill,
    "kill in transaction": work.kill_in_transaction,
    "kill in workflow": work.kill_in_workflow,
    "partition": network.partition,
    "pause": engine.pause,
    "skew": clock.skew,
    "slow": network.slow,
}


def require(faults: Sequence[Fault]) -> None:
    """See that everything is here that a plan is made with. Raises NoToolsError and NoLibraryError."""
    kinds = {fault.done for fault in faults}
    if kinds & {"partition", "slow"}:
        network.image()
    if "skew" in kinds:
        clock.library()


class Damage:
    """Makes each fault at its time. They may overlap, but of one component not: whoever comes second waits.

    A fault whose undoing fails is an error of the test, and is raised at the end.
    """

    def __init__(self, project: Running, target: Target) -> None:
        self._project = project
        self._target = target
        self._held = {each: threading.Lock() for each in sorted({*target.components, "outbox-relay"})}

    def make(self, faults: Sequence[Fault]) -> None:
        """All of them; returns when the last one is undone."""
        begun, nothing_to_wait_for = time.monotonic(), threading.Event()
        made: list[Future[None]] = []
        with ThreadPoolExecutor(max_workers=16) as pool:
            for fault in faults:
                nothing_to_wait_for.wait(max(0.0, begun + fault.at - time.monotonic()))
                made.append(pool.submit(self._one, fault))
        for each in made:
            each.result()

    def _one(self, fault: Fault) -> None:
        with ExitStack() as held:
            for component in self._struck(fault):
                held.enter_context(self._held[component])
            lasts = f", for {fault.seconds:.0f} s" if fault.seconds else ""
            print(f"{fault.at:5.0f} s  {fault.done} {fault.words}{lasts}", flush=True)
            if fault.done == "power":
                engine.power(self._project, list(self._target.components))
            else:
                KINDS[fault.done](self._project, fault)

    def _struck(self, fault: Fault) -> list[str]:
        """Who may not be struck meanwhile, in the order in which everybody takes them."""
        if fault.done == "power":
            return sorted(self._held)
        if fault.done == "fleet":
            return []
        if fault.done == "full":
            return ["nats", "outbox-relay"]
        if isinstance(fault.to, dict):
            return sorted(str(fault.to[end]) for end in ("of", "from") if end in fault.to)
        return [fault.to]
