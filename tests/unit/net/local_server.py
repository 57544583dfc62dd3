"""A web server in this process, on loopback, with TLS for as many names as a test wants."""

from __future__ import annotations

import datetime
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.gpuaas.parity.plugins.module_utils._tls.certificates import Scope, endpoint, issue_ca, issue_leaf, new_key
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.pem import encode_certificate, encode_key


class Authority:
    """A CA for one domain, in a directory, that issues server certificates."""

    def __init__(self, folder: Path, domain: str) -> None:
        self.folder = folder
        self._key = new_key()
        self._certificate = issue_ca(self._key, Scope(domain), datetime.datetime.now(datetime.UTC))
        self.ca_file = folder / "ca.crt"
        self.ca_file.write_bytes(encode_certificate(self._certificate))

    def context(self, host: str, ago: datetime.timedelta = datetime.timedelta()) -> ssl.SSLContext:
        """A server context for a host, whose certificate was issued some time ago."""
        key = new_key()
        leaf = issue_leaf(key, endpoint(host), self._certificate, self._key, datetime.datetime.now(datetime.UTC) - ago)
        pair = self.folder / f"{host}.pem"
        pair.write_bytes(encode_certificate(leaf) + encode_key(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        return context


@dataclass
class Asked:
    """A request as the server saw it."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    sni: str = ""

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body).items()}


@dataclass
class Reply:
    """What the server answers."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def as_json(document: Any, status: int = 200, **headers: str) -> Reply:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Reply(status, json.dumps(document), {"Content-Type": "application/json", **named})


@dataclass
class Server:
    port: int
    asked: list[Asked]


@contextmanager
def serve(answer: Callable[[Asked], Reply], contexts: dict[str, ssl.SSLContext] | None = None, *, strict: bool = False) -> Iterator[Server]:
    """Serve until the block ends; ``contexts`` gives TLS by server name, the first one being the default unless ``strict``."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            request = Asked(
                self.command,
                self.headers.get("Host", ""),
                parts.path,
                {key: values[0] for key, values in parse_qs(parts.query).items()},
                {key.lower(): value for key, value in self.headers.items()},
                self.rfile.read(length).decode(),
                getattr(self.connection, "sni", ""),
            )
            asked.append(request)
            reply = answer(request)
            self.send_response(reply.status)
            for key, value in reply.headers.items():
                self.send_header(key, value)
            data = b"" if reply.status == 204 else reply.body.encode()
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

        def log_message(self, *_: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that refuses the certificate is what some tests are about."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if contexts:
        first, *_others = contexts.values()

        def choose(connection: ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> int | None:
            if strict and name not in contexts:
                return int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
            connection.context = contexts.get(name or "", first)
            vars(connection)["sni"] = name or ""
            return None

        first.sni_callback = choose
        server.socket = first.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Server(server.server_address[1], asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
