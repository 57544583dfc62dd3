"""Workloads run where their instance does and nowhere else, each was deployed once, and their events can be."""

from __future__ import annotations

import re

from .seen import Instance, Seen

# As often as app-runtime deploys one again that crashes (control_plane: app_runtime/steps.py).
MAX_CRASHES = 3
_LIFE = re.compile(r"((deployed (healthy |unhealthy )*)*removed )*(deployed (healthy |unhealthy )*)*")
_TWICE = re.compile(r"\b(\w+) \1\b")
_GONE_WITH = ("remove ended", "stop", "release", "failed")


def violations(seen: Seen) -> list[str]:
    """Each thing that is not as it must be."""
    wrong = []
    for instance, its in seen.instances.items():
        effects = [line.effect for line in seen.ledger if line.instance == instance]
        told = " ".join(its.of_workload)
        if not _LIFE.fullmatch(f"{told} " if told else "") or _TWICE.search(told):
            wrong.append(f"{instance} has a workload with an impossible life: {told}")
        if not _is_where_it_must_be(its, effects):
            wrong.append(
                f"{instance} is {its.state}, asked for {its.workload}, and its workload is {its.does}, after: {', '.join(effects)}"
            )
        deployed, said = effects.count("deploy"), its.of_workload.count("deployed")
        # Where the instance ended before the answer came, one was deployed and is not told of.
        untold = its.of_workload.count("removed") + (its.state != "running")
        if not said <= deployed <= said + untold:
            wrong.append(f"{instance} has {deployed} deployments, and {said} events of them")
    return wrong


def _is_where_it_must_be(its: Instance, effects: list[str]) -> bool:
    runs = False
    for effect in effects:
        runs = effect == "deploy" or (runs and effect not in _GONE_WITH)
    if its.state != "running" or not its.workload:
        return not runs and its.does in (None, "removed")
    crashed_too_often = effects.count("workload crashed") > MAX_CRASHES
    return runs and its.does == ("unhealthy" if crashed_too_often else "healthy")
