# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two modes rendered in memory, and how they differ: as a document, and as lines for a person."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import (
    EXCEPTION,
    GROUPS,
    MEANING,
    Difference,
    Rendered,
    compare,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.expected import Side, own_variables, runs
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.observe import observe
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.validate import check_lane
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import Tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_GAP = 2
_NARROWEST = 24  # columns of a value, however narrow the terminal is
_KEPT = 3  # characters of a common beginning or end that stay


def differences(platform: Platform, first: str, second: str, lane: str, security: str = "") -> list[Difference]:
    """How the rendering of one mode differs from that of another, each in its own security mode, or both in ``security``.

    Raises ParityError as rendering does.
    """
    check_lane(platform.contract, lane)
    modes = [platform.mode(name, security=security) for name in (first, second)]
    a, b = (rendered(platform, mode, lane, render_mode(platform, mode, lane).tree) for mode in modes)
    return compare(platform.contract, platform.realm, lane, a, b)


def rendered(platform: Platform, mode: Mode, lane: str, tree: Tree) -> Rendered:
    """A mode's tree of a lane, ready to be compared."""
    mode = mode.in_lane(platform.contract, lane)
    side = Side.of(platform.contract, mode)
    return Rendered(side, observe(tree), own_variables(platform, mode), runs(platform, side))


def refuse_meaning(found: list[Difference], first: str, second: str) -> None:
    """Raise ParityError CONTRACT_MEANING_DIFFERS if there is a difference of meaning."""
    told = [item for item in found if item.group == MEANING]
    if told:
        lines = [f"{item.path}: {_or_dash(item.a)} in {first}, {_or_dash(item.b)} in {second}" for item in told]
        raise ParityError("CONTRACT_MEANING_DIFFERS", "\n".join(lines), details={"paths": [item.path for item in told]})


def document(found: list[Difference], first: str, second: str, lane: str) -> dict[str, Any]:
    """The differences as data: by group, each with ``path``, ``a`` and ``b``, an exception also with ``why``."""
    grouped = {group: [item for item in found if item.group == group] for group in GROUPS}
    return {
        "a": first,
        "b": second,
        "lane": lane,
        "differences": {group: [_row(item) for item in grouped[group]] for group in GROUPS},
        "counts": {group: len(grouped[group]) for group in GROUPS},
    }


def _row(item: Difference) -> dict[str, Any]:
    return {"path": item.path, "a": item.a, "b": item.b} | ({"why": item.why} if item.group == EXCEPTION else {})


def table(found: list[Difference], first: str, second: str, lane: str, width: int) -> list[str]:
    """The differences as aligned lines, within ``width`` columns where that is wide enough; the counts at the end."""
    names = {item: item.path.removeprefix("services.").replace(".settings.", ".") for item in found}
    paths = max(map(len, names.values()), default=0)
    values = [len(_or_dash(value)) for item in found for value in (item.a, item.b)]
    room = max(_NARROWEST, (width - paths - 3 * _GAP) // 2)
    column = min(max([*values, len(first), len(second)]), room)
    gap = " " * _GAP
    lines = [f"lane {lane}".ljust(paths + _GAP) + f"{gap}{first:<{column}}{gap}{second}"]
    counts = []
    for group in GROUPS:
        items = [item for item in found if item.group == group]
        counts.append(f"{len(items)} of {group}")
        if items:
            lines += ["", group]
        for item in items:
            a, b = _pair(_or_dash(item.a), _or_dash(item.b), column)
            lines.append(f"{gap}{names[item]:<{paths}}{gap}{a:<{column}}{gap}{b}")
            lines += [f"{gap * 2}{item.why}"] if item.why else []
    return [*lines, "", "differences: " + ", ".join(counts)]


def _pair(a: str, b: str, width: int) -> tuple[str, str]:
    """Two values cut to ``width`` each, at the cost of what they have in common."""
    start, end = _common(a, b), _common(a[::-1], b[::-1])
    if min(len(a), len(b)) in (start, end):
        # One is all of what the other begins or ends with: that tells it best.
        start = end = 0
    return _cut(a, start, end, width), _cut(b, start, end, width)


def _common(a: str, b: str) -> int:
    """How many characters two texts begin alike with."""
    return sum(1 for _one in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _cut(text: str, start: int, end: int, width: int) -> str:
    """``text`` without a part of its common beginning, then of its common end, then of its middle, until it fits."""
    text = _elide(text, 0, start - _KEPT, width)
    text = _elide(text, len(text) - end + _KEPT, len(text), width)
    return _elide(text, width // 2, len(text) - width // 4, width)


def _elide(text: str, first: int, last: int, width: int) -> str:
    """``text`` with as much of ``text[first:last]`` replaced by one character as it is too long."""
    gone = min(len(text) + 1 - width, last - first)
    return f"{text[: last - gone]}…{text[last:]}" if gone > 1 else text


def _or_dash(value: str | None) -> str:
    return "-" if value is None else value
