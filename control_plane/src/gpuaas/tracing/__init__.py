"""One trace of what happens to an instance: W3C Trace Context (https://www.w3.org/TR/trace-context/).

A process records spans where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says who collects them (``tracing.start``). Otherwise nothing
of OpenTelemetry's SDK is imported, and every function here does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

# Where spans are sent: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
# The fields of a carrier, which are columns of the outbox and headers of messages and requests.
FIELDS = ("traceparent", "tracestate")
# By which a trace is found; every trace of an instance has a span with it.
INSTANCE_ID = "gpuaas.instance_id"
STATUS = "http.response.status_code"

type Kind = Literal["server", "client", "producer", "consumer"]
type Attributes = Mapping[str, str | int]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Span(Protocol):
    """A piece of work, while it goes on."""

    def rename(self, name: str) -> None:
        """Call it what is only known now."""

    def tell(self, attributes: Attributes) -> None:
        """Add what is known of it."""

    def fail(self) -> None:
        """Say that it failed; an exception that leaves it says so too."""


class Recorder(Protocol):
    """Who makes spans."""

    def span(
        self, name: str, kind: Kind, parent: Mapping[str, str] | None, attributes: Attributes
    ) -> AbstractContextManager[Span]: ...

    def carrier(self) -> dict[str, str]: ...

    def trace_id(self) -> str | None: ...

    def tell(self, attributes: Attributes) -> None: ...

    def temporal(self) -> list[Any]: ...


class Nothing:
    """Records nothing: the span and the recorder of a process that nobody collects from."""

    def rename(self, name: str) -> None: ...

    def tell(self, attributes: Attributes) -> None: ...

    def fail(self) -> None: ...

    def span(
        self, name: str, kind: Kind, parent: Mapping[str, str] | None, attributes: Attributes
    ) -> AbstractContextManager[Span]:
        return nullcontext(self)

    def carrier(self) -> dict[str, str]:
        return {}

    def trace_id(self) -> str | None:
        return None

    def temporal(self) -> list[Any]:
        return []


NOTHING = Nothing()
_recorder: Recorder = NOTHING


def record(recorder: Recorder) -> Recorder:
    """Have ``recorder`` make the spans of this process; returns who made them until now."""
    global _recorder
    before, _recorder = _recorder, recorder
    return before


def span(
    name: str, kind: Kind, parent: Mapping[str, str] | None = None, attributes: Attributes | None = None
) -> AbstractContextManager[Span]:
    """A span while the context lasts, current in it.

    It belongs to the trace of the carrier ``parent``, and begins one where that has none. Without ``parent`` it is part of
    the current span, and there is none where nothing is current: what nobody asked for is no trace.
    """
    return _recorder.span(name, kind, parent, attributes or {})


def carrier() -> dict[str, str]:
    """The current span as headers (``FIELDS``), or nothing."""
    return _recorder.carrier()


def trace_id() -> str | None:
    """The trace of the current span, in hex."""
    return _recorder.trace_id()


def tell(attributes: Attributes) -> None:
    """Add to the current span."""
    _recorder.tell(attributes)


def temporal() -> list[Any]:
    """Interceptors for a client of Temporal, which carry the trace through workflows to their activities."""
    return _recorder.temporal()


def template(path: str) -> str:
    """A path without its ids: a span's name is of a kind, not of one request."""
    return _UUID.sub("{id}", path)
