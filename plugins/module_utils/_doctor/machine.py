# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the machine stops the modes that run on it, and what `up` would put right by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.model import COMPOSE, LOCAL, Condition, Place
from ansible_collections.gpuaas.parity.plugins.module_utils._host.checks import Needs, Port, find_problems
from ansible_collections.gpuaas.parity.plugins.module_utils._host.engine import Engine, read_engine
from ansible_collections.gpuaas.parity.plugins.module_utils._host.facts import HostFacts, read_facts
from ansible_collections.gpuaas.parity.plugins.module_utils._host.plan import Plan, plan
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System


@dataclass(frozen=True)
class Machine:
    """The machine as read once for all modes."""

    system: System
    engine: Engine
    facts: HostFacts

    @property
    def answers(self) -> bool:
        """Whether the Docker engine can be asked."""
        return self.engine.problem is None


def read_machine(system: System, place: Place) -> Machine:
    """Read engine and facts. It never raises."""
    engine = read_engine(system)
    return Machine(system, engine, read_facts(system, engine, place.root))


def check_machine(machine: Machine, place: Place, conditions: Mapping[str, Condition]) -> None:
    """Each local mode's condition gets what the machine lacks for it."""
    for mode in LOCAL:
        if mode in conditions:
            _check(machine, conditions[mode], _needs(place, conditions[mode]))


def _needs(place: Place, condition: Condition) -> Needs:
    contract: dict[str, Any] = condition.contract or {}
    compose = condition.mode == COMPOSE
    return Needs(
        cluster=str(contract.get("project") or condition.mode) if compose else place.cluster,
        compose=compose,
        ports=tuple(Port(port) for port in sorted(_ports(contract, compose))),
        disk_build_gib=place.disk_build_gib,
        disk_run_gib=place.disk_run_gib,
        memory_gib=place.memory_gib,
    )


def _ports(contract: dict[str, Any], compose: bool) -> set[int]:
    """The ports of loopback that the mode publishes, from its own rendering; none where it does not render."""
    if compose:
        return {int(service["publish"]) for service in contract.get("services", {}).values() if "publish" in service}
    return {int(contract["public_port"])} if contract else set()


def _check(machine: Machine, condition: Condition, needs: Needs) -> None:
    problems = find_problems(machine.system, machine.facts, machine.engine, needs)
    solved = _solved(plan(machine.system, machine.facts, problems))
    for problem in problems:
        if problem.reason in solved:
            condition.notes.append(f"{problem.reason}: {problem.seen}; up {solved[problem.reason]} first, and says so")
        else:
            condition.add(problem)


def _solved(planned: Plan) -> dict[str, str]:
    """What `up` does by itself about a reason, in words."""
    solved: dict[str, str] = {}
    if planned.packages:
        installs = f"installs {', '.join(planned.packages)}"
        if "docker-buildx" in planned.packages:
            solved["HOST_BUILDX_MISSING"] = installs
        if any(package.startswith("docker-compose") for package in planned.packages):
            solved["HOST_COMPOSE_MISSING"] = installs
        if "docker.io" in planned.packages:
            solved |= {"HOST_DOCKER_MISSING": installs, "HOST_DOCKER_TOO_OLD": installs, "HOST_DOCKER_UNREACHABLE": installs}
    if planned.plain_packages:
        solved["HOST_MMDEBSTRAP_MISSING"] = f"installs {', '.join(planned.plain_packages)}"
    if planned.start:
        solved["HOST_DOCKER_UNREACHABLE"] = "starts the engine"
    if planned.raise_limits:
        solved["HOST_INOTIFY"] = "raises the limits"
    if planned.grant:
        solved["HOST_DOCKER_PERMISSION"] = "lets this user use the engine"
    return solved
