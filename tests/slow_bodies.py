"""Strangers whose requests begin and do not end: each holds whatever waits for its body."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback

SECONDS = 10
_TOKEN = "realms/gpuaas/protocol/openid-connect/token"


class SlowBodies:
    """Open requests to the identity provider's public name."""

    def __init__(self, contract: dict[str, Any], ca_file: Path, stack: ExitStack) -> None:
        self._endpoint = contract["endpoints"]["auth"]
        self._context = loopback.tls_context(ca_file)
        self._ca_file = ca_file
        self._stack = stack

    def begin(self, announced: int, sent: bytes = b"") -> ssl.SSLSocket:
        """A request with a body of so many bytes, of which ``sent`` comes."""
        # RFC 6761 6.3: names under .localhost are loopback, whatever the resolver says.
        plain = self._stack.enter_context(socket.create_connection(("127.0.0.1", self._endpoint["port"]), SECONDS))
        tls = self._stack.enter_context(self._context.wrap_socket(plain, server_hostname=self._endpoint["host"]))
        head = f"POST /{_TOKEN} HTTP/1.1\r\nHost: {self._endpoint['host']}:{self._endpoint['port']}\r\nConnection: close\r\n"
        kind = "Content-Type: application/x-www-form-urlencoded\r\n"
        tls.sendall(f"{head}{kind}Content-Length: {announced}\r\n\r\n".encode() + sent)
        return tls

    def served_in(self, seconds: float) -> int:
        """The status that somebody else gets meanwhile. Raises httpx.TimeoutException."""
        with loopback.client(self._ca_file, timeout=seconds) as client:
            return client.post(f"{self._endpoint['url']}/{_TOKEN}", data={"grant_type": "client_credentials"}).status_code


def lasts(tls: ssl.SSLSocket, most: float) -> float:
    """Seconds until a request is ended to which a byte is added again and again; no more than ``most``."""
    began = time.monotonic()
    tls.settimeout(0.5)
    while time.monotonic() - began < most:
        try:
            tls.sendall(b"x")
            tls.recv(1)
            break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


@contextmanager
def crowd(contract: dict[str, Any], ca_file: Path) -> Iterator[tuple[SlowBodies, ssl.SSLSocket]]:
    """More of them than the provider works on at once; and one, whose body comes byte by byte, for whoever watches it.

    Half announce more than the ingress keeps until a body is whole, and send as much as that.
    """
    workers = int(contract["services"]["keycloak"]["settings"]["KC_HTTP_POOL_MAX_THREADS"])
    with ExitStack() as stack:
        bodies = SlowBodies(contract, ca_file, stack)
        for _number in range(2 * workers):
            bodies.begin(announced=9)
            bodies.begin(announced=10**6, sent=b"x" * 2**16 + b"x")
        yield bodies, bodies.begin(announced=10**6)
