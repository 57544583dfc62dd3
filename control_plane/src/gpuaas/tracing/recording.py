"""Spans by OpenTelemetry, sent as OTLP over HTTP from a thread of their own; what cannot be sent is dropped, and nobody waits."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gpuaas import __version__, tracing
from gpuaas.tracing import Attributes, Kind

SEND_EVERY_SECONDS = 0.5
# All that waits goes at once: who is not there keeps the process from its end for this long, and not once for each batch.
SEND_SECONDS = 2.0
MAX_WAITING = 2048
# What somebody puts into a path is not kept whole.
MAX_TEXT = 256
MAX_TRACESTATE = 512
_W3C = TraceContextTextMapPropagator()
_KINDS = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def tell(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def fail(self) -> None:
        self._span.set_status(StatusCode.ERROR)


class OpenTelemetry:
    """The recorder."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("gpuaas", __version__)

    @contextmanager
    def span(
        self, name: str, kind: Kind, parent: Mapping[str, str] | None, attributes: Attributes
    ) -> Iterator[tracing.Span]:
        if parent is None and self.trace_id() is None:
            yield tracing.NOTHING
            return
        context = None if parent is None else _W3C.extract(parent, Context())
        with self._tracer.start_as_current_span(name, context, _KINDS[kind], attributes) as span:
            yield _Span(span)

    def carrier(self) -> dict[str, str]:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        # It is a caller's; a longer one need not be passed on (W3C Trace Context, 3.3.1.5).
        if len(carrier.get("tracestate", "")) > MAX_TRACESTATE:
            del carrier["tracestate"]
        return carrier

    def trace_id(self) -> str | None:
        current = trace.get_current_span().get_span_context()
        return trace.format_trace_id(current.trace_id) if current.is_valid else None

    def tell(self, attributes: Attributes) -> None:
        trace.get_current_span().set_attributes(attributes)

    def temporal(self) -> list[Any]:
        # Its spans are as its SDKs in all languages make them, and are made once however often a history is replayed.
        from temporalio.contrib.opentelemetry import TracingInterceptor

        return [TracingInterceptor(self._tracer)]


def exporting(service: str, endpoint: str) -> TracerProvider:
    """Sends to ``endpoint`` twice a second, and what is left when the process ends.

    It makes every span, whatever a caller's flag says: a stranger does not decide what is seen.
    """
    session = requests.Session()
    session.trust_env = False
    exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=SEND_SECONDS, session=session)
    names = {"service.name": service, "service.version": __version__, "service.instance.id": socket.gethostname()}
    limits = SpanLimits(max_attribute_length=MAX_TEXT)
    made = TracerProvider(sampler=ALWAYS_ON, resource=Resource(names), span_limits=limits)
    made.add_span_processor(BatchSpanProcessor(exporter, MAX_WAITING, SEND_EVERY_SECONDS * 1000, MAX_WAITING))
    # That it tries once more is nothing to tell; that it gave up is.
    logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.ERROR)
    return made
