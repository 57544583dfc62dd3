# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conditions on one screen: a line for each mode, then what stands in the way, said once, and what to type."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ansible_collections.gpuaas.parity.plugins.module_utils._advice import Commands
from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.model import COMPOSE, LOCAL, Condition, Finding

_NAMED = 2
_RENDERED = "make parity-render MODE={mode}"  # all that can be done from here in a shared mode


def advised(condition: Condition) -> list[Finding]:
    """A mode's findings with what to type in that mode."""
    target = COMPOSE if condition.mode == COMPOSE else ""
    return [Finding(each.reason, Commands(target).fill(each.seen), Commands(target).fill(each.do)) for each in condition.findings]


def screen(conditions: Sequence[Condition], width: int) -> list[str]:
    """The lines of the screen, at most ``width`` wide where words allow it."""
    column = max(len(condition.mode) for condition in conditions)
    lines = [f"{condition.mode:<{column}}  {_state(condition)}" for condition in conditions]
    for modes, findings in _grouped(conditions):
        lines += ["", ", ".join(modes)]
        for finding in findings:
            lines += _block(finding, width)
    noted = [(condition.mode, note) for condition in conditions for note in condition.notes]
    if noted:
        lines += ["", "besides"]
        for mode, note in noted:
            lines += _wrapped(f"{mode}: {note}", "  ", "    ", width)
    return lines


def _state(condition: Condition) -> str:
    if condition.ready:
        mode = condition.mode
        return f"ready     {Commands(COMPOSE if mode == COMPOSE else '').of('up') if mode in LOCAL else _RENDERED.format(mode=mode)}"
    reasons = list(dict.fromkeys(finding.reason for finding in condition.findings))
    more = f" and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return f"stopped   {', '.join(reasons[:_NAMED])}{more}"


def _grouped(conditions: Sequence[Condition]) -> list[tuple[tuple[str, ...], list[Finding]]]:
    """The findings by the modes that have them, in order; what several modes share is said once."""
    modes: dict[Finding, list[str]] = {}
    for condition in conditions:
        for finding in condition.findings:
            modes.setdefault(finding, []).append(condition.mode)
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding, having in modes.items():
        target = COMPOSE if having == [COMPOSE] else ""
        told = Finding(finding.reason, Commands(target).fill(finding.seen), Commands(target).fill(finding.do))
        groups.setdefault(tuple(having), []).append(told)
    return list(groups.items())


def _block(finding: Finding, width: int) -> list[str]:
    lines: list[str] = []
    first, *more = finding.seen.splitlines() or [""]
    lines += _wrapped(f"{finding.reason}: {first}", "  ", "    ", width)
    for line in more:
        lines += _wrapped(line, "    ", "    ", width)
    do, *rest = finding.do.splitlines() or [""]
    # What is to be typed stays on one line, so that it can be copied.
    return [*lines, f"    -> {do}", *(f"       {line}" for line in rest)]


def _wrapped(text: str, first: str, rest: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 40), initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)
