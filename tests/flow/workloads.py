"""Workloads run where their instance does and nowhere else, each was deployed once, and their events can be."""

from __future__ import annotations

import re

from .seen import Effect, Instance, Seen

# As often as app-runtime deploys one again that crashes (control_plane: app_runtime/steps.py).
MAX_CRASHES = 3
_LIFE = re.compile(r"((deployed (healthy |unhealthy )*)*removed )*(deployed (healthy |unhealthy )*)*")
# One that waits to be deployed again may be removed, and told so, once more.
_TWICE = re.compile(r"\b(deployed|healthy|unhealthy) \1\b")
_GONE_WITH = ("remove ended", "stop", "release", "failed")


def violations(seen: Seen) -> list[str]:
    """Each thing that is not as it must be."""
    wrong = []
    for instance, its in seen.instances.items():
        lines = [line for line in seen.ledger if line.instance == instance]
        effects = [line.effect for line in lines]
        told = " ".join(its.of_workload)
        if not _LIFE.fullmatch(f"{told} " if told else "") or _TWICE.search(told):
            wrong.append(f"{instance} has a workload with an impossible life: {told}")
        if not _is_where_it_must_be(its, lines):
            wrong.append(
                f"{instance} is {its.state}, asked for {its.workload}, and its workload is {its.does}, after: {', '.join(effects)}"
            )
        deployed, said = effects.count("deploy"), its.of_workload.count("deployed")
        # Where the instance ended before the answer came, one was deployed and is not told of.
        untold = its.of_workload.count("removed") + (its.state != "running")
        if not said <= deployed <= said + untold:
            wrong.append(f"{instance} has {deployed} deployments, and {said} events of them")
    return wrong


def _is_where_it_must_be(its: Instance, lines: list[Effect]) -> bool:
    runs_on = set()
    for line in lines:
        if line.effect == "deploy":
            runs_on.add(line.reservation)
        elif line.effect in _GONE_WITH:
            runs_on.discard(line.reservation)
    if its.state != "running" or not its.workload:
        return not runs_on and its.does in (None, "removed")
    crashed_too_often = sum(line.effect == "workload crashed" for line in lines) > MAX_CRASHES
    return len(runs_on) == 1 and its.does == ("unhealthy" if crashed_too_often else "healthy")
