"""A part in the trace of whoever asks (W3C Trace Context): a span for each request that belongs to one.

``OTEL_EXPORTER_OTLP_ENDPOINT`` says who collects spans; without it nothing of OpenTelemetry is imported for this.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

from gpu_fleet import __version__
from gpu_fleet.settings import ConfigurationError

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"  # https://opentelemetry.io/docs/specs/otel/protocol/exporter/
SERVICE = "gpu-fleet"
SEND_EVERY_SECONDS = 0.5
SEND_SECONDS = 2.0
MAX_WAITING = 2048  # all that waits goes at once, so that the end of the process waits once
_URL = re.compile(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_tracer: Any = None


def begin(environ: Mapping[str, str]) -> None:
    """Make spans, if somebody collects them; what cannot be sent is dropped. Raises ConfigurationError."""
    global _tracer
    endpoint = environ.get(ENDPOINT, "")
    if not endpoint:
        return
    if not _URL.fullmatch(endpoint):
        raise ConfigurationError(f"{ENDPOINT} is not a URL of scheme, host and port")
    import requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    session = requests.Session()
    session.trust_env = False
    exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=SEND_SECONDS, session=session)
    names = {"service.name": SERVICE, "service.version": __version__, "service.instance.id": socket.gethostname()}
    provider = TracerProvider(sampler=ALWAYS_ON, resource=Resource(names))
    provider.add_span_processor(BatchSpanProcessor(exporter, MAX_WAITING, SEND_EVERY_SECONDS * 1000, MAX_WAITING))
    logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.ERROR)
    _tracer = provider.get_tracer("gpu_fleet", __version__)


@contextmanager
def request(scope: Scope, headers: Headers) -> Iterator[dict[str, int]]:
    """A span of the caller's trace, if it has one; the status of the answer is put into what this yields."""
    answered: dict[str, int] = {}
    if _tracer is None or "traceparent" not in headers:
        yield answered
        return
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    parent = TraceContextTextMapPropagator().extract(headers, Context())
    name = f"{scope['method']} {_UUID.sub('{id}', scope['path'])}"
    told = {"http.request.method": scope["method"], "url.path": scope["path"]}
    with _tracer.start_as_current_span(name, parent, SpanKind.SERVER, told) as span:
        yield answered
        span.set_attribute("http.response.status_code", answered.get("status", 0))
        if answered.get("status", 0) >= 500:
            span.set_status(StatusCode.ERROR)
