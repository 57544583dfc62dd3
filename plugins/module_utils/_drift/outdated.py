# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that may run with values that are no longer there.

A ConfigMap or Secret of ours is named by its content and applied before what reads it, so no container is older
than the content that it reads. One that is started with something else: somebody changed or removed it by hand,
and an apply restored it since. Both times are the server's, so nothing needs to be remembered between runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._drift.managers import applied_at
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.references import references

Object = dict[str, Any]
_KINDS = ("ConfigMap", "Secret")


@dataclass(frozen=True)
class Content:
    """A ConfigMap or Secret, and the time (RFC 3339) since when it holds what it holds."""

    kind: str
    namespace: str
    name: str
    since: str


@dataclass(frozen=True)
class Outdated:
    """A pod with a container that ``started`` before the ``content`` that it reads was set."""

    pod: Object
    started: str
    content: Content

    @property
    def owner(self) -> tuple[str, str]:
        """Kind and name of what made the pod; empty when nothing did."""
        owners = self.pod["metadata"].get("ownerReferences") or [{}]
        return str(owners[0].get("kind", "")), str(owners[0].get("name", ""))


def contents(objects: Iterable[Object], manager: str) -> list[Content]:
    """The ConfigMaps and Secrets among applied objects, with the time when they were made or ``manager`` last changed them."""
    return [
        Content(
            str(obj["kind"]),
            str(meta.get("namespace", "")),
            str(meta["name"]),
            max(str(meta["creationTimestamp"]), applied_at(obj, manager)),
        )
        for obj in objects
        if obj["kind"] in _KINDS
        for meta in [obj["metadata"]]
    ]


def outdated(pods: Iterable[Object], read: Sequence[Content]) -> list[Outdated]:
    """The pods that run and started before something that they read was set; each once."""
    known = {(one.kind, one.namespace, one.name): one for one in read}
    found = []
    for pod in pods:
        started = min(_starts(pod), default="")
        if not started or pod["metadata"].get("deletionTimestamp"):
            continue
        namespace, (maps, secrets) = pod["metadata"].get("namespace", ""), references(pod)
        names = [*(("ConfigMap", namespace, name) for name in sorted(maps)), *(("Secret", namespace, name) for name in sorted(secrets))]
        # Times of one format and zone, so their text compares.
        late = next((known[name] for name in names if name in known and started < known[name].since), None)
        if late is not None:
            found.append(Outdated(pod, started, late))
    return found


def _starts(pod: Object) -> Iterator[str]:
    """When each container that runs was started; one that waits reads everything again."""
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        running = (status.get("state") or {}).get("running") or {}
        if running.get("startedAt"):
            yield str(running["startedAt"])
