"""What a server answers is named, whatever it is, and no question goes on for ever."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gpuaas.journal.chain import GENESIS, following
from gpuaas.journal.reasons import REASONS, JournalError, Reason
from gpuaas.journal.store import Access, parse
from support.journal import chain, url_of
from support.tls import Authority


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    status, body, asked = 200, b"{}", 0
    answers = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        self.server.answers.wait()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def answering(certificate: Path) -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.answers = threading.Event()
    server.answers.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server(authority: Authority) -> Iterator[_Server]:
    with answering(authority.certificate) as its:
        yield its


@pytest.fixture
def ask(server: _Server, access: Access) -> Iterator[Callable[[], JournalError]]:
    """Append an entry, and be refused."""
    journal = parse(url_of(f"https://127.0.0.1:{server.server_port}", "journal")).journal(access)

    def refused() -> JournalError:
        with pytest.raises(JournalError) as error:
            journal.append(chain("atlas", 1)[0])
        return error.value

    yield refused
    journal.close()


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (400, "AccessDeniedException", Reason.DENIED),
        (400, "UnrecognizedClientException", Reason.DENIED),
        (400, "InvalidSignatureException", Reason.DENIED),
        (400, "ExpiredTokenException", Reason.DENIED),
        (400, "MissingAuthenticationTokenException", Reason.DENIED),
        (400, "ProvisionedThroughputExceededException", Reason.THROTTLED),
        (400, "ThrottlingException", Reason.THROTTLED),
        (400, "RequestLimitExceeded", Reason.THROTTLED),
        (400, "ResourceNotFoundException", Reason.TABLE_MISSING),
        (400, "ValidationException", Reason.REFUSED),
        (400, "SomethingNewException", Reason.REFUSED),
        (500, "InternalServerError", Reason.UNREACHABLE),
        (503, "ServiceUnavailable", Reason.UNREACHABLE),
    ],
)
def test_a_refusal_has_its_reason(
    server: _Server, ask: Callable[[], JournalError], status: int, code: str, reason: Reason
) -> None:
    server.status = status
    server.body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}).encode()
    error = ask()
    assert error.reason == reason
    assert "no-secret" not in str(error)
    assert error.advice


@pytest.mark.parametrize("body", [b"<html>a proxy</html>", b""])
def test_what_is_no_answer_of_dynamodb_is_named(server: _Server, ask: Callable[[], JournalError], body: bytes) -> None:
    server.status, server.body = 502, body
    assert ask().reason == Reason.UNREACHABLE


def test_a_server_that_never_answers_is_given_up(server: _Server, ask: Callable[[], JournalError]) -> None:
    server.answers.clear()
    began = time.monotonic()
    assert ask().reason == Reason.UNREACHABLE
    assert server.asked == 2
    # Two attempts of two seconds, and what lies between them; a worker's transaction is not held meanwhile.
    assert time.monotonic() - began < 10


def test_an_item_that_is_no_entry_is_named(server: _Server, access: Access) -> None:
    server.body = json.dumps({"Items": [{"project": {"S": "atlas"}, "number": {"N": "1"}}], "Count": 1}).encode()
    journal = parse(url_of(f"https://127.0.0.1:{server.server_port}", "journal")).journal(access)
    with pytest.raises(JournalError) as error:
        journal.page("atlas", 0)
    assert error.value.reason == Reason.CHANGED
    journal.close()


def test_an_entry_that_no_item_can_hold_is_not_sent(server: _Server, access: Access) -> None:
    journal = parse(url_of(f"https://127.0.0.1:{server.server_port}", "journal")).journal(access)
    with pytest.raises(JournalError) as error:
        journal.append(following(GENESIS, chain("atlas", 1, b"x" * 410_000)[0].record))
    assert (error.value.reason, server.asked) == (Reason.TOO_LARGE, 0)
    journal.close()


def test_every_reason_says_what_to_do() -> None:
    assert REASONS.keys() == set(Reason)
