# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster looked like at one moment: every list is read at most once and shared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Protocol

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

Object = dict[str, Any]


class Reader(Protocol):
    """The part of KubeReader that a snapshot needs."""

    def list(self, resource: str, namespace: str = "", labels: str = "", fields: str = "") -> list[Object]: ...

    def read(self, resource: str, name: str, namespace: str = "") -> Object | None: ...


class Snapshot:
    """Lazily cached reads of one tick; thread-safe; a failed read fails for everyone who asks in that tick."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._values: dict[Hashable, Any] = {}

    def _once(self, key: Hashable, read: Callable[[], Any]) -> Any:
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._values:
                try:
                    self._values[key] = read()
                except ParityError as error:
                    self._values[key] = error
            value = self._values[key]
        if isinstance(value, ParityError):
            raise value
        return value

    def all(self, resource: str) -> list[Object]:
        """All objects of a resource in all namespaces."""
        found: list[Object] = self._once(resource, lambda: self._reader.list(resource))
        return found

    def find(self, resource: str, namespace: str, name: str) -> Object | None:
        """One object out of the resource's list, or None."""
        for item in self.all(resource):
            meta = item.get("metadata") or {}
            if meta.get("name") == name and meta.get("namespace", "") == namespace:
                return item
        return None

    def read(self, resource: str, namespace: str, name: str) -> Object | None:
        """One object, read by itself: for what is too large or too private to list."""
        found: Object | None = self._once((resource, namespace, name), lambda: self._reader.read(resource, name, namespace))
        return found

    def pods(self, namespace: str, labels: dict[str, str]) -> list[Object]:
        """A namespace's pods that carry all the labels, oldest first; none when no label is asked for."""
        chosen = [
            pod
            for pod in self.all("pods")
            if labels and pod["metadata"].get("namespace") == namespace and labels.items() <= (pod["metadata"].get("labels") or {}).items()
        ]
        return sorted(chosen, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))

    def warnings(self, namespace: str, name: str) -> list[Object]:
        """The Warning events about one object, oldest first."""
        events = self._once("warnings", lambda: self._reader.list("events", fields="type=Warning"))
        about = [
            event
            for event in events
            if event.get("involvedObject", {}).get("name") == name and event.get("involvedObject", {}).get("namespace", "") == namespace
        ]
        return sorted(about, key=event_time)


def event_time(event: Object) -> str:
    """When an event was last seen, RFC 3339; events.k8s.io leaves the old fields empty and the reverse."""
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )
