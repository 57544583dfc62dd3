# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in a run. docs/events.schema.json describes each of these as others read it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

VERSION = 1
"""Of the form of events. Fields may be added within a version; none changes its meaning or goes."""


@dataclass(frozen=True)
class Run:
    """A play of the run begins; ``name`` is the play's."""

    name: str
    check_mode: bool = False


@dataclass(frozen=True)
class Step:
    """A step began or ended. ``seconds`` is its duration; a failure has what was ``seen``, and one of ours reason and advice.

    ``status`` is started, ok, changed, would-change, skipped, ignored, failed or unreachable.
    """

    step: str
    status: str
    seconds: float | None = None
    changed: bool | None = None
    host: str | None = None
    reason: str | None = None
    seen: str | None = None
    do: str | None = None


@dataclass(frozen=True)
class Wait:
    """Something is awaited, for ``elapsed`` seconds of at most ``budget``; ``done`` of ``total`` parts of it are there.

    ``blocked_by`` is what it waits for now, in words; empty when nobody knows.
    """

    awaited: str
    elapsed: float
    blocked_by: str = ""
    done: int | None = None
    total: int | None = None
    budget: float | None = None


@dataclass(frozen=True)
class Image:
    """A build, a pull or a load of an image. ``status`` is started, progress, built, pulled, loaded or failed."""

    image: str
    status: str
    text: str | None = None
    seconds: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Check:
    """The verdict of a check, ok or failed; a failed one has reason, what was seen and what to type."""

    check: str
    component: str
    proves: str
    verdict: str
    seconds: float
    attempts: int
    reason: str | None = None
    seen: str | None = None
    do: str | None = None


@dataclass(frozen=True)
class Note:
    """Something that the user must read."""

    text: str


@dataclass(frozen=True)
class Log:
    """A line of a component's log."""

    component: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """How the run ended. ``document`` is what its last step that gives an answer answered, such as the status."""

    ok: bool
    steps: int
    changed: int
    seconds: float
    check_mode: bool = False
    reason: str | None = None
    seen: str | None = None
    do: str | None = None
    document: Mapping[str, Any] | None = None


# ansible-test checks module_utils for Python 3.9, on which no module of this collection runs.
Event = Run | Step | Wait | Image | Check | Note | Log | Verdict  # pylint: disable=unsupported-binary-operation
Emit = Callable[[Event], None]
"""Takes an event to whoever reads it."""

KINDS: dict[type[Any], str] = {kind: kind.__name__.lower() for kind in (Run, Step, Wait, Image, Check, Note, Log, Verdict)}


def fields(event: Event) -> dict[str, Any]:
    """``event`` as plain data, under ``event`` its kind; what it does not say is left out."""
    said = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return {"event": KINDS[type(event)], **{name: value for name, value in said.items() if value is not None}}


def nobody(_event: Event) -> None:
    """An `Emit` where nobody reads."""
