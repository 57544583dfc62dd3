# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the pods on one page: what a human reads first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._kube.pods import blocker, is_ready, restarts
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import event_time

Object = dict[str, Any]
_EVENTS_OF_A_POD = 8


def summary(pods: list[Object], events: list[Object]) -> str:
    """Every pod, those that are not well first, with what blocks them and their latest warnings."""
    if not pods:
        return "The cluster has no pods.\n"
    unwell = [pod for pod in pods if not _is_well(pod)]
    lines = [f"{len(pods)} pods, {len(unwell)} of them not ready", ""]
    for pod in sorted(pods, key=lambda pod: (_is_well(pod), _name(pod))):
        lines += _of(pod, events)
    return "\n".join(lines) + "\n"


def events_table(events: list[Object]) -> str:
    """All events, oldest first, one a line."""
    return "".join(f"{_event(event)}\n" for event in events)


def _is_well(pod: Object) -> bool:
    return is_ready(pod) or (pod.get("status") or {}).get("phase") == "Succeeded"


def _name(pod: Object) -> str:
    return f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"


def _of(pod: Object, events: list[Object]) -> Iterator[str]:
    status = pod.get("status") or {}
    words = [_name(pod), str(status.get("phase") or "Unknown"), f"restarts {restarts(pod)}"]
    words.append(f"since {status.get('startTime') or pod['metadata'].get('creationTimestamp')}")
    yield "  ".join(words)
    if _is_well(pod):
        return
    yield f"    blocked by: {blocker(pod).seen}"
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        last = (container.get("lastState") or {}).get("terminated")
        if last:
            end = f"exit {last.get('exitCode')} ({last.get('reason')}) at {last.get('finishedAt')}"
            yield f"    last end of {container['name']}: {end} {last.get('message') or ''}".rstrip()
    about = [event for event in events if _is_about(event, pod) and event.get("type") == "Warning"]
    yield from (f"    {_event(event)}" for event in about[-_EVENTS_OF_A_POD:])


def _is_about(event: Object, pod: Object) -> bool:
    about = event.get("involvedObject") or {}
    return (about.get("namespace"), about.get("name")) == (pod["metadata"].get("namespace"), pod["metadata"]["name"])


def _event(event: Object) -> str:
    about = event.get("involvedObject") or {}
    who = f"{about.get('namespace', '')}/{about.get('kind', '')}/{about.get('name', '')}"
    count = event.get("count") or (event.get("series") or {}).get("count") or 1
    message = " ".join(str(event.get("message") or "").split())
    return f"{event_time(event)}  {event.get('type')}  {event.get('reason')}  {who}  x{count}  {message}"
