# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the results of a run add up to, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.causes import PROVES, by_cause
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Result
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# What was still being looked at when the others ended the run.
_UNFINISHED = "CHECK_UNFINISHED"


def verdict(results: Sequence[Result], phase: str) -> ParityError | None:
    """The failure that the results add up to, None when every check holds.

    Its reason is that of the cause: the first `by_cause` that failed by itself. Its text lists every failed check
    with what was seen, those with the same failure together, and each advice once, beneath all that it is for; what has
    the cause's advice comes last, where that stands. A run without checks proves nothing and fails.
    """
    if not results:
        return ParityError("CHECK_MISSING", f"there is no check of phase {phase}")
    bad = [result for result in results if not result.ok]
    if not bad:
        return None
    key = by_cause(result.check for result in bad if result.reason != _UNFINISHED)
    bad.sort(key=lambda result: (result.reason == _UNFINISHED, *key(result.check)))
    first, others = bad[0], bad[1:]
    lines = [f"{first.check.id}: {first.seen}"]
    if others:
        lines.append(f"in all {len(bad)} of {len(results)} checks failed; the others:")
    for do in sorted({result.do: None for result in others}, key=lambda do: do == first.do):
        lines += _together(result for result in others if result.do == do)
        lines += [f"    -> {do}"] if do != first.do else []
    return ParityError(first.reason, "\n".join(lines), first.do, {"checks": [result.as_dict() for result in results]})


def _together(results: Iterable[Result]) -> Iterator[str]:
    same: dict[tuple[str, str], list[str]] = {}
    for result in results:
        same.setdefault((result.reason, result.seen), []).append(result.check.id)
    for (reason, seen), ids in same.items():
        yield f"  {', '.join(ids)}\n    {reason}: {seen}"


def summary(results: Sequence[Result]) -> list[str]:
    """What was proved, a line for each component, and what is worth knowing although it holds."""
    by_component: dict[str, list[Result]] = {}
    for result in results:
        by_component.setdefault(result.check.component, []).append(result)
    width = max((len(name) for name in by_component), default=0)
    lines = []
    for name, own in by_component.items():
        proved = sorted({result.check.proves for result in own}, key=PROVES.index)
        count = f"{len(own)} check{'s' if len(own) > 1 else ''}"
        lines.append(f"  {name.ljust(width)}  {count:>9}  {', '.join(proved)}")
    return lines + [f"  {result.check.id}: {result.seen}" for result in results if "enforced" in result.details]
