"""``trace show``: traces in a terminal, as Zipkin beside it has them. ``trace check``: a span that is sent is found.

Zipkin's API: https://zipkin.io/zipkin-api/. Spans are sent as OTLP over HTTP, in JSON:
https://opentelemetry.io/docs/specs/otlp/#otlphttp.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

ZIPKIN = "http://127.0.0.1:9411/api/v2"
INSTANCE_ID = "gpuaas.instance_id"
STATUS = "http.response.status_code"
MAX_TRACES = 50
ANSWER_SECONDS = 10.0
FOUND_SECONDS = 15.0
CHECK_SERVICE = "check"

type Json = dict[str, Any]


@dataclass
class Span:
    """A span with those below it, the first begun first. Times are in microseconds."""

    service: str
    name: str
    begun: int
    took: int
    tags: dict[str, str]
    below: list[Span] = field(default_factory=list)

    @property
    def shape(self) -> tuple[object, ...]:
        """What makes two spans alike to a reader."""
        return (self.service, self.name, self.outcome, *(span.shape for span in self.below))

    @property
    def outcome(self) -> str:
        """The status of an answer, and whether it failed."""
        said = [self.tags.get(STATUS, ""), "failed" if "error" in self.tags else ""]
        return " ".join(word for word in said if word)

    @property
    def end(self) -> int:
        """When the last of it ended."""
        return max([self.begun + self.took, *(span.end for span in self.below)])

    def all(self) -> Iterator[Span]:
        """It and everything below it."""
        yield self
        for span in self.below:
            yield from span.all()


def tree(document: list[Json]) -> list[Span]:
    """The spans of a trace that have none above them: one where the trace is whole.

    Client and server of a call are spans of their own, as OpenTelemetry has them.
    """
    found = {
        each["id"]: Span(
            each.get("localEndpoint", {}).get("serviceName", "?"),
            each.get("name", "?"),
            each.get("timestamp", 0),
            each.get("duration", 0),
            each.get("tags", {}),
        )
        for each in document
    }
    tops = []
    for each in document:
        above = found.get(each.get("parentId", ""))
        (above.below if above else tops).append(found[each["id"]])
    for span in found.values():
        span.below.sort(key=lambda its: its.begun)
    return sorted(tops, key=lambda its: its.begun)


def lines(document: list[Json]) -> Iterator[str]:
    """A trace as a tree: when each span began, how long it took, of which service it is."""
    tops = tree(document)
    begun, end = tops[0].begun, max(span.end for span in tops)
    at = datetime.fromtimestamp(begun / 1_000_000, UTC).isoformat(sep=" ", timespec="seconds")
    whole = f", in {len(tops)} pieces" if len(tops) > 1 else ""
    yield f"trace {document[0]['traceId']}  {at[:19]} UTC  {_seconds(end - begun)} s  {len(document)} spans{whole}"
    yield "   begun      took  service"
    width = max(len(span.service) for top in tops for span in top.all())
    for top in tops:
        yield from _rows([top], begun, width, "")


def _rows(spans: list[Span], begun: int, width: int, indent: str) -> Iterator[str]:
    for index, (span, times) in enumerate(counted := list(_alike(spans))):
        is_last = index == len(counted) - 1
        branch, below = ("", "") if not indent else ("└ ", "  ") if is_last else ("├ ", "│ ")
        said = f"{span.name}{'  ' + span.outcome if span.outcome else ''}{f'  ({times} times)' if times > 1 else ''}"
        yield f"{_seconds(span.begun - begun):>8}  {_seconds(span.took):>8}  {span.service:<{width}}  {indent[1:]}{branch}{said}"
        yield from _rows(span.below, begun, width, (indent or " ") + below)


def _alike(spans: list[Span]) -> Iterator[tuple[Span, int]]:
    """Spans that say the same one after the other are told of once."""
    index = 0
    while index < len(spans):
        span, times = spans[index], 1
        while index + times < len(spans) and spans[index + times].shape == span.shape:
            times += 1
        yield span, times
        index += times


def _seconds(microseconds: int) -> str:
    return f"{microseconds / 1_000_000:.3f}"


def summaries(documents: list[list[Json]]) -> Iterator[str]:
    """A line for each trace, the newest first."""
    for document in sorted(documents, key=lambda its: tree(its)[0].begun, reverse=True):
        top = tree(document)[0]
        at = datetime.fromtimestamp(top.begun / 1_000_000, UTC).isoformat(sep=" ", timespec="seconds")
        instances = {span["tags"][INSTANCE_ID] for span in document if INSTANCE_ID in span.get("tags", {})}
        measured = f"{_seconds(top.end - top.begun):>8} s  {len(document):>4} spans"
        yield f"{at[:19]} UTC  {measured}  {top.service} {top.name}  {' '.join(sorted(instances))}".rstrip()


def show(instance: str) -> Iterator[str]:
    """Each trace of an instance, or the newest ones of any; or that there is none."""
    # Without a value: that there is such a tag.
    found = ask("/traces?" + urlencode({"limit": MAX_TRACES, "annotationQuery": f"{INSTANCE_ID}={instance}".rstrip("=")}))
    if not found:
        yield f"no trace of instance {instance}: only what was done since traces are on is there" if instance else "no trace of an instance"
    elif not instance:
        yield from summaries(found)
    else:
        for index, document in enumerate(sorted(found, key=lambda its: tree(its)[0].begun)):
            yield from ([""] if index else [])
            yield from lines(document)


def check() -> str:
    """Send a span by the name that others use, and find it. Raises OSError, HTTPException and KeyError."""
    trace, now = secrets.token_hex(16), time.time_ns()
    span = {"traceId": trace, "spanId": secrets.token_hex(8), "name": "check", "kind": 1}
    times = {"startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1000)}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": CHECK_SERVICE}}]}
    sent = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span | times]}]}]}
    status, answer = request("POST", f"{os.environ['TRACES_OTLP_URL']}/v1/traces", json.dumps(sent))
    if status != 200:
        raise OSError(f"a span is not taken: {status} {answer[:200]!r}")
    until = time.monotonic() + FOUND_SECONDS
    while request("GET", f"{ZIPKIN}/trace/{trace}")[0] != 200:
        if time.monotonic() > until:
            raise TimeoutError(f"a span that was sent is not found in {FOUND_SECONDS:.0f} s")
        time.sleep(0.1)
    return "a span that was sent is found"


def ask(path: str) -> Any:
    """What Zipkin answers. Raises OSError and HTTPException."""
    status, answer = request("GET", f"{ZIPKIN}{path}")
    if status != 200:
        raise OSError(f"Zipkin answers {status} {answer[:200]!r}")
    return json.loads(answer)


def request(method: str, url: str, body: str | None = None) -> tuple[int, bytes]:
    """Status and body of an answer. Raises OSError and HTTPException."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="trace", description="Traces in a terminal.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    showing = commands.add_parser("show", help="print the newest traces of instances, one a line")
    showing.add_argument("--instance", default="", metavar="ID", help="print each trace of this instance as a tree")
    commands.add_parser("check", help="send a span and find it")
    given = parser.parse_args()
    try:
        for line in [check()] if given.command == "check" else show(given.instance):
            print(line)
    except (OSError, HTTPException, KeyError) as error:
        print(f"trace {given.command}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
