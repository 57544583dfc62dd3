# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole preflight: facts and problems of a machine, or one failure that lists all problems."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.checks import Needs, find_problems
from ansible_collections.gpuaas.parity.plugins.module_utils._host.engine import Engine, read_engine
from ansible_collections.gpuaas.parity.plugins.module_utils._host.facts import HostFacts, read_facts
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System

_POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Preflight:
    """What a preflight found."""

    facts: HostFacts
    problems: list[ParityError]

    def rows(self) -> list[dict[str, Any]]:
        """The problems as plain data."""
        return [{"reason": p.reason, "seen": p.seen, "do": p.do, "details": p.details} for p in self.problems]


def preflight(
    system: System,
    needs: Needs,
    *,
    checkout: Path | None = None,
    wait_seconds: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Preflight:
    """Read the machine. ``wait_seconds`` is how long an engine that was just started may take to answer."""
    deadline = monotonic() + wait_seconds
    engine = read_engine(system)
    while _may_come(engine) and monotonic() < deadline:
        sleep(_POLL_SECONDS)
        engine = read_engine(system)
    facts = read_facts(system, engine, checkout)
    return Preflight(facts, find_problems(system, facts, engine, needs))


def _may_come(engine: Engine) -> bool:
    return engine.problem is not None and engine.problem.reason == "HOST_DOCKER_UNREACHABLE"


def all_at_once(problems: Sequence[ParityError], facts: HostFacts) -> ParityError:
    """One error whose text holds every problem and what to type for each; the first gives the reason."""
    first, *others = problems
    do = "\n".join([first.do, *(str(other) for other in others)])
    rows = [{"reason": p.reason, "seen": p.seen, "do": p.do, "details": p.details} for p in problems]
    return ParityError(first.reason, first.seen, do, {"problems": rows, "facts": facts.as_dict()})
