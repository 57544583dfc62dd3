"""How the platform does, in numbers, for who runs it. Who may see it is the API's to say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gpuaas.web import visitor
from gpuaas.web.rendering import page
from gpuaas.web.resources import resources
from gpuaas.web.words import at, duration

REFRESH_SECONDS = 5
_PARTS = {"streams": "The streams", "dead_letters": "The dead letters", "fleet": "The fleet", "journal": "The journal"}
_BYTES = ("B", "KiB", "MiB", "GiB")


async def show(request: Request) -> Response:
    """Workers, events on their way, dead letters, fleet; what needs attention first."""
    who = await visitor.required(request)
    seen = await visitor.ask(request, who, resources(request).api.platform)
    now = datetime.fromisoformat(seen["time"])
    return page(
        "platform.html",
        user=who.session.username,
        csrf_token=who.session.csrf_token,
        operates=True,
        here="platform",
        refresh_seconds=REFRESH_SECONDS,
        seen=seen,
        attention=list(_attention(seen)),
        at=at(now),
        duration=duration,
        size=_size,
        clock=lambda iso: at(datetime.fromisoformat(iso)),
        ago=lambda iso: duration((now - datetime.fromisoformat(iso)).total_seconds()),
    )


def _attention(seen: dict[str, Any]) -> Iterator[str]:
    """What somebody should look into, each in a sentence."""
    for worker in seen["workers"]:
        yield from _of_worker(worker)
    if not seen["workers"]:
        return
    if seen["outbox"]["late"]:
        oldest = duration(seen["outbox"]["oldest_seconds"])
        yield f"{_many(seen['outbox']['waiting'], 'event')} not published, the oldest for {oldest}."
    for part, name in _PARTS.items():
        if (its := seen.get(part)) and its["stale"]:
            yield f"{name}: no report for {duration(its['age_seconds'])}."
    if seen["streams"] and (differ := seen["streams"]["report"]["differ"]):
        yield f"Not as it should be: {', '.join(differ)}."
    if seen["dead_letters"] and (total := seen["dead_letters"]["report"]["total"]):
        yield f"{_many(total, 'dead letter')}."
    if seen["fleet"]:
        yield from _of_fleet(seen["fleet"]["report"])
    # An API of the version before has none.
    if journal := seen.get("journal"):
        yield from _of_journal(journal["report"], datetime.fromisoformat(seen["time"]))


def _of_worker(worker: dict[str, Any]) -> Iterator[str]:
    name = worker["report"]["name"]
    if worker["state"] == "silent":
        yield f"{name}: no report for {duration(worker['age_seconds'])}."
    elif worker["state"] == "waiting":
        yield f"{name} waits for {', '.join(worker['report']['missing'])}."


def _of_fleet(fleet: dict[str, Any]) -> Iterator[str]:
    if found := fleet["disagreements"]:
        yield f"Fleet and database disagree about {_many(len(found), 'instance')}."
    if lost := [node["name"] for node in fleet["nodes"] if node["state"] != "ready"]:
        yield f"Nodes that are lost: {', '.join(lost)}."
    if faulty := sum(node["faulty"] for node in fleet["nodes"]):
        yield f"{_many(faulty, 'faulty GPU')}."
    if full := [its["gpu_type"] for its in fleet["capacity"] if its["total"] and not its["largest"]]:
        yield f"No free GPU of type {', '.join(full)}."


def _of_journal(journal: dict[str, Any], now: datetime) -> Iterator[str]:
    if since := journal["behind_since"]:
        behind = duration((now - datetime.fromisoformat(since)).total_seconds())
        yield f"The journal is behind: {_many(journal['waiting'], 'event')}, the oldest for {behind}. Nothing else waits for it."
    if broken := [chain["project"] for chain in journal["chains"] if chain["faults"]]:
        yield f"The journal does not hold for {', '.join(broken)}."


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _size(count: int) -> str:
    size = float(count)
    for unit in _BYTES[:-1]:
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} {_BYTES[-1]}"
