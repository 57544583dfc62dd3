# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may run where a component runs: the component says it, in its component.yml."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.inside import run_inside, said
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.redaction import knowledge_of
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# As long as a week's events may take.
_SECONDS = 600.0


@dataclass(frozen=True)
class Command:
    """The program of a component; ``words`` are all of it."""

    component: str
    words: tuple[str, ...]


def choose(
    components: Mapping[str, Component], options: Mapping[str, Collection[str]], contract: Mapping[str, Any], name: str, value: str
) -> Command:
    """The command of that name, with its value, of whichever component of the rendered lane has it.

    Raises ParityError ``COMMAND_UNKNOWN`` naming those that there are, or the option of the platform with which it would be
    there, and ``VARIABLE_INVALID`` for a value that it does not take.
    """
    known = {
        each: (component, said)
        for component in contract.get("services") or {}
        if component in components
        for each, said in components[component].commands.items()
    }
    if name not in known:
        there_are = ", ".join(sorted(known)) or "none"
        with_it = [option for option, members in options.items() if any(name in components[each].commands for each in members)]
        raise ParityError(
            "COMMAND_UNKNOWN",
            f"no component of lane {contract.get('lane')} has a command {name!r}; there are: {there_are}",
            f"{{up}} {with_it[0].upper()}=1" if with_it else "",
        )
    component, said_of_it = known[name]
    if value and "value" not in said_of_it:
        raise ParityError("VARIABLE_INVALID", f"the command {name} takes no value", "leave the value out")
    given = (*said_of_it["value"], value) if value else ()
    return Command(component, (*said_of_it["command"], *given))


def run(context: Context, command: Command) -> list[str]:
    """What it printed, without any secret of the run. Raises ParityError ``EXEC_FAILED``."""
    where, done = run_inside(context, command.component, command.words, _SECONDS)
    if done.rc != 0:
        seen = f"{' '.join(command.words)} in {where} ended with {done.rc}: {said(context, done)}"
        raise ParityError("EXEC_FAILED", seen, f"{{logs}} COMPONENT={command.component}")
    known = knowledge_of(context.state_dir)
    if known.unknown:
        raise ParityError("EXEC_FAILED", f"{where}: what it printed is not shown: not every secret of the run can be read")
    return known.redact(done.stdout).splitlines()
