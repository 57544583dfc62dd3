# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events in words, as a person reads them."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.emitter import Record
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Wait

_LONG = 1.0  # seconds from which on a step that changed nothing is worth a line
_TONES = {"ok": "ok", "changed": "changed", "would-change": "changed", "ignored": "warning", "failed": "error", "unreachable": "error"}


class Line(NamedTuple):
    """A line, or several, and how it sounds: ok, changed, warning, error, or empty."""

    text: str
    tone: str = ""


def line(record: Record, everything: bool = False) -> Line | None:
    """What is written of an event for good; None when nothing is. ``everything`` has every step, however short."""
    kind = record["event"]
    if kind == "run":
        return Line(str(record["name"]))
    if kind == "note":
        return Line("\n".join(f"  {part}" for part in str(record["text"]).split("\n")))
    if kind == "step":
        return _step(record, everything)
    return _verdict(record) if kind == "verdict" else None


def _step(record: Record, everything: bool) -> Line | None:
    status, seconds = record["status"], record.get("seconds", 0.0)
    tone = _TONES.get(status)
    if tone is None or (status == "ok" and seconds < _LONG and not everything):
        return None
    host = f"[{record['host']}] " if "host" in record else ""
    text = f"  {status.replace('-', ' '):<8} {host}{record['step']}  {seconds:.1f} s"
    if tone == "error":
        text += "".join(f"\n    {part}".rstrip() for part in failure(record).splitlines())
    return Line(text, tone)


def failure(record: Record) -> str:
    """What failed, in the form of a `ParityError`; of a step of somebody else, what it said."""
    seen = str(record.get("seen", ""))
    return f"{record['reason']}: {seen}\n  -> {record.get('do', '')}" if "reason" in record else seen


def _verdict(record: Record) -> Line:
    steps = "1 step" if record["steps"] == 1 else f"{record['steps']} steps"
    changed = f"{record['changed']} {'would change' if record.get('check_mode') else 'changed'}"
    reason = f": {record['reason']}" if "reason" in record else ""
    text = f"{'ok' if record['ok'] else 'failed'} in {record['seconds']:.1f} s ({steps}, {changed}){reason}"
    return Line(text, "ok" if record["ok"] else "error")


def working(wait: Wait, step: str) -> str:
    """What is being worked on: a step of which nothing else is known, or what it waits for."""
    head = "working" if wait.awaited == step else "waiting"
    parts = "" if wait.total is None else f" {wait.done}/{wait.total}"
    budget = f" of {wait.budget:.0f} s" if wait.budget else ""
    return f"  {head:<8} {wait.awaited}{parts}  {wait.elapsed:.0f} s{budget}  {wait.blocked_by}".rstrip()
