# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make parity-trace` prints of what Zipkin has, and the check that sends a span and finds it."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "platform/components/traces/image/trace.py"
INSTANCE = "0190b7c1-62f5-7c7a-9ee1-7f6ac3d9b001"
BEGUN = 1_790_000_000_000_000


@pytest.fixture(scope="module")
def trace() -> ModuleType:
    spec = importlib.util.spec_from_file_location("trace_of_the_image", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def span(identity: str, parent: str | None, service: str, name: str, begun: int, took: int, **tags: str) -> dict[str, Any]:
    """A span as Zipkin has it; times are in milliseconds since the trace began."""
    found = {"traceId": "ab" * 16, "id": identity, "name": name, "timestamp": BEGUN + begun * 1000, "duration": took * 1000, "tags": tags}
    return {**found, "localEndpoint": {"serviceName": service}, **({"parentId": parent} if parent else {})}


WHOLE = [
    span("5", "2", "fleet", "get /v1/x", 40, 1),
    span("2", "1", "api", "post /v1/instances", 5, 60, **{"http.response.status_code": "201", "gpuaas.instance_id": INSTANCE}),
    span("1", None, "web", "post /instances", 0, 100, **{"http.response.status_code": "303"}),
    span("3", "2", "fleet", "get /v1/x", 10, 1),
    span("4", "2", "fleet", "get /v1/x", 20, 1),
    span("6", "1", "relay", "publish", 70, 2, error="true"),
]


def test_a_trace_is_a_tree_with_times(trace: ModuleType) -> None:
    head, columns, *rows = trace.lines(WHOLE)
    assert head == f"trace {'ab' * 16}  2026-09-21 14:13:20 UTC  0.100 s  6 spans"
    assert columns.split() == ["begun", "took", "service"]
    assert rows == [
        "   0.000     0.100  web    post /instances  303",
        "   0.005     0.060  api    ├ post /v1/instances  201",
        "   0.010     0.001  fleet  │ └ get /v1/x  (3 times)",
        "   0.070     0.002  relay  └ publish  failed",
    ]


def test_a_trace_that_is_broken_says_so(trace: ModuleType) -> None:
    head, _columns, *rows = trace.lines([each for each in WHOLE if each["id"] != "2"])
    assert head.endswith("in 4 pieces")
    assert len(rows) == 5


def test_traces_are_listed_the_newest_first(trace: ModuleType) -> None:
    later = [{**each, "timestamp": each["timestamp"] + 5_000_000} for each in WHOLE[2:3]]
    assert list(trace.summaries([WHOLE, later])) == [
        "2026-09-21 14:13:25 UTC     0.100 s     1 spans  web post /instances",
        f"2026-09-21 14:13:20 UTC     0.100 s     6 spans  web post /instances  {INSTANCE}",
    ]


@pytest.fixture
def zipkin(trace: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Answers as the collector and Zipkin do; what was asked for is under ``asked``."""
    told: dict[str, Any] = {"asked": [], "sent": [], "traces": [], "keeps": True}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told["sent"].append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(200 if told["keeps"] is not None else 503, {})

        def do_GET(self) -> None:
            told["asked"].append(self.path)
            sent = [each["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] for each in told["sent"]]
            known = self.path.startswith("/traces") or (told["keeps"] and self.path.split("/")[-1].rstrip("?") in sent)
            self.answer(200 if known else 404, told["traces"])

        def answer(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_given: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(trace, "ZIPKIN", url)
    monkeypatch.setenv("TRACES_OTLP_URL", url)
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def said(trace: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """What the program says: exit status, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["trace", *words])
        status = trace.main()
        return (status, *capsys.readouterr())

    return run


def test_an_instances_traces_are_asked_for_by_its_id(zipkin: dict[str, Any], said: Callable[..., tuple[int, str, str]]) -> None:
    zipkin["traces"] = [WHOLE]
    status, out, _err = said("show", "--instance", INSTANCE)
    assert (status, out.count("\n")) == (0, 6)
    assert zipkin["asked"] == [f"/traces?limit=50&annotationQuery=gpuaas.instance_id%3D{INSTANCE}"]


def test_of_an_instance_without_a_trace_that_is_said(zipkin: dict[str, Any], said: Callable[..., tuple[int, str, str]]) -> None:
    assert said("show", "--instance", INSTANCE)[1].startswith(f"no trace of instance {INSTANCE}")
    assert said("show")[1] == "no trace of an instance\n"
    assert zipkin["asked"][-1] == "/traces?limit=50&annotationQuery=gpuaas.instance_id"


def test_a_span_that_is_sent_is_found(zipkin: dict[str, Any], said: Callable[..., tuple[int, str, str]]) -> None:
    assert said("check") == (0, "a span that was sent is found\n", "")


@pytest.mark.parametrize(("keeps", "why"), [(False, "not found"), (None, "not taken: 503")])
def test_one_that_is_not_is_a_failure(
    zipkin: dict[str, Any],
    said: Callable[..., tuple[int, str, str]],
    trace: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    keeps: bool | None,
    why: str,
) -> None:
    zipkin["keeps"] = keeps
    monkeypatch.setattr(trace, "FOUND_SECONDS", 0.2)
    status, out, err = said("check")
    assert (status, out, why in err) == (1, "", True), err
