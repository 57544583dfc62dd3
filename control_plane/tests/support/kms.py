"""KMS behind AWS's API: moto's server in a process of its own, on loopback; and one that only ever fails."""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

REGION = "eu-central-1"
KEY_ID = "AKIDFORTHETESTSONLY"
SECRET_KEY = "a secret access key of nobody at all"
# It ends with whoever started it: then nothing holds its standard input open.
_SERVE = """
import os, sys, threading
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
def end():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=end, daemon=True).start()
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""


@dataclass(frozen=True)
class Kms:
    """``client`` administers it."""

    url: str
    client: Any

    def key(self, alias: str) -> str:
        """A new key with that alias."""
        made: str = self.client.create_key()["KeyMetadata"]["KeyId"]
        self.client.create_alias(AliasName=alias, TargetKeyId=made)
        return made

    def setting(self, alias: str) -> str:
        """As GPUAAS_KEY_PROVIDER names a key of it."""
        return f"awskms:{alias}?region={REGION}&endpoint={self.url}"

    def aliases(self) -> dict[str, str]:
        """The key of each."""
        return {
            one["AliasName"]: one["TargetKeyId"]
            for one in self.client.list_aliases()["Aliases"]
            if "TargetKeyId" in one
        }


def client(url: str) -> Any:
    """Of somebody who may do everything there."""
    return boto3.client(
        "kms", endpoint_url=url, region_name=REGION, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET_KEY
    )


@contextlib.contextmanager
def running() -> Generator[Kms]:
    """Until the context ends."""
    command = [sys.executable, "-c", _SERVE]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        assert process.stdin
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        try:
            yield Kms(url, client(url))
        finally:
            process.stdin.close()


def credentials(folder: Path) -> Path:
    """A file of them, as boto3 reads it."""
    file = folder / "credentials"
    file.write_text(f"[default]\naws_access_key_id={KEY_ID}\naws_secret_access_key={SECRET_KEY}\n")
    return file


@dataclass
class Failing:
    """Answers every request with the error ``code``, or with ``body``, or with nothing at all while both are empty."""

    url: str = ""
    code: str = ""
    body: str = ""
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def failing(certificate: Path | None = None) -> Generator[Failing]:
    """Until the context ends; over TLS with ``certificate``, a PEM file with its key."""
    found, over = Failing(), threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.asked.append(self.headers["X-Amz-Target"])
            self.rfile.read(int(self.headers["Content-Length"]))
            if not found.code and not found.body:
                over.wait()
                return
            error = json.dumps({"__type": found.code, "message": "who asked is told here"})
            body = (found.body or error).encode()
            self.send_response(200 if found.body else 400)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(certificate)
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        found.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever, args=[0.01])
        serving.start()
        try:
            yield found
        finally:
            over.set()
            server.shutdown()
            serving.join()
