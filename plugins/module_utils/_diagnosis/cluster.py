# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Kubernetes API knows: events, objects, pods and their logs. Secrets are never asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.gather import Gathering
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.summary import events_table, summary
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import event_time

Object = dict[str, Any]
LOG_LINES = 2000
# ConfigMaps are in rendered/ already; Secrets are none of a bundle's business.
_LISTS = (
    "daemonsets",
    "deployments",
    "endpoints",
    "ingresses",
    "jobs",
    "namespaces",
    "networkpolicies",
    "nodes",
    "persistentvolumeclaims",
    "replicasets",
    "services",
    "statefulsets",
)


class Reader(Protocol):
    """The part of KubeReader that a bundle needs."""

    def list(self, resource: str, namespace: str = "", labels: str = "", fields: str = "") -> list[Object]: ...

    def text(self, path: str, params: dict[str, str] | None = None) -> str: ...

    def logs(self, namespace: str, pod: str, container: str = "", *, tail: int | None = None, previous: bool = False) -> Iterator[str]: ...


def collect_cluster(gathering: Gathering, connect: Callable[[], Reader], without_api: Callable[[], None]) -> None:
    """Begin the collection of the cluster's state, under ``cluster/`` and ``logs/`` of the bundle.

    ``connect`` makes a client; ``without_api`` is called when the API does not
    say which pods there are.
    """
    gathering.start("cluster", lambda: _collect(gathering, connect, without_api))


def _collect(gathering: Gathering, connect: Callable[[], Reader], without_api: Callable[[], None]) -> None:
    try:
        reader = connect()
        pods = [_bare(pod) for pod in reader.list("pods")]
    except ParityError:
        without_api()
        raise
    gathering.add("cluster/pods.json", _json(pods))
    for pod in pods:
        _start_logs(gathering, reader, pod)
    gathering.text("cluster/version.json", partial(reader.text, "/version"))
    gathering.text("cluster/readyz.txt", partial(reader.text, "/readyz", {"verbose": "true"}))
    for resource in _LISTS:
        gathering.text(f"cluster/{resource}.json", partial(_listing, reader, resource))
    events = sorted(reader.list("events"), key=event_time)
    gathering.add("cluster/events.txt", events_table(events))
    gathering.add("cluster/events.json", _json([_bare(event) for event in events]))
    gathering.add("SUMMARY.txt", summary(pods, events))


def _start_logs(gathering: Gathering, reader: Reader, pod: Object) -> None:
    meta, status = pod["metadata"], pod.get("status") or {}
    for state in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        name = f"logs/{meta['namespace']}/{meta['name']}/{state['name']}"
        ask = partial(_log, reader, meta["namespace"], meta["name"], state["name"])
        if (state.get("state") or {}).get("running") or (state.get("state") or {}).get("terminated"):
            gathering.text(f"{name}.log", partial(ask, previous=False))
        if state.get("restartCount"):
            gathering.text(f"{name}.previous.log", partial(ask, previous=True))


def _log(reader: Reader, namespace: str, pod: str, container: str, *, previous: bool) -> str:
    return "".join(f"{line}\n" for line in reader.logs(namespace, pod, container, tail=LOG_LINES, previous=previous))


def _listing(reader: Reader, resource: str) -> str:
    return _json([_bare(item) for item in reader.list(resource)])


def _bare(item: Object) -> Object:
    """The object without what only its writers need."""
    meta = dict(item.get("metadata") or {})
    meta.pop("managedFields", None)
    notes = {k: v for k, v in (meta.get("annotations") or {}).items() if not k.endswith("last-applied-configuration")}
    if "annotations" in meta:
        meta["annotations"] = notes
    return {**item, "metadata": meta}


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
