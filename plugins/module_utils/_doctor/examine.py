# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole examination: every mode's condition, in about a second, changing nothing."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from importlib import metadata

from ansible_collections.gpuaas.parity.plugins.module_utils._doctor import checkout, machine, running, state
from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.model import COMPOSE, KIND, LOCAL, Condition, Place
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System


def examine(
    place: Place,
    modes: Sequence[str],
    system: System,
    now: datetime.datetime,
    version: checkout.Versions = metadata.version,
) -> list[Condition]:
    """The condition of each mode, in the order given."""
    conditions = {mode: Condition(mode) for mode in modes}
    outdated = Condition("")
    outdated.look(lambda: checkout.check_environment(place.root / "requirements" / "runtime.txt", version))
    for condition in conditions.values():
        condition.findings += outdated.findings
    checkout.check_rendering(place, conditions)
    for condition in conditions.values():
        state.check_state(place, condition, now)
    if set(LOCAL) & set(conditions):
        found = machine.read_machine(system, place)
        if found.answers and COMPOSE in conditions:
            running.check_project(place, conditions[COMPOSE], system.runner)
        if found.answers and KIND in conditions:
            running.check_cluster(place, conditions[KIND], system.runner)
        machine.check_machine(found, place, conditions)
    return list(conditions.values())
