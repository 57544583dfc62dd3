"""Who collects spans, as OTLP over HTTP brings them (https://opentelemetry.io/docs/specs/otlp/#otlphttp)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from support.serving import served


@dataclass(frozen=True)
class Span:
    """A span, with its ids in hex; ``parent`` is empty for the first of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str | int]


@dataclass
class Collector:
    """Everything that was sent, in the order in which it came."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    requests: int = 0

    async def take(self, request: Request) -> Response:
        self.requests += 1
        sent = ExportTraceServiceRequest.FromString(await request.body())
        for resource in sent.resource_spans:
            service = next(its.value.string_value for its in resource.resource.attributes if its.key == "service.name")
            for its in (span for scope in resource.scope_spans for span in scope.spans):
                told = {each.key: each.value.string_value or each.value.int_value for each in its.attributes}
                ids = (its.trace_id.hex(), its.span_id.hex(), its.parent_span_id.hex())
                self.spans.append(Span(service, its.name, *ids, told))
        return Response(media_type="application/x-protobuf")

    def named(self, service: str, name: str) -> list[Span]:
        """The spans of a service with a name."""
        return [span for span in self.spans if (span.service, span.name) == (service, name)]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens."""
    collector = Collector()
    with served(Starlette(routes=[Route("/v1/traces", collector.take, methods=["POST"])])) as collector.url:
        yield collector
