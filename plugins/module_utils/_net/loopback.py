# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP from the host to names under ``.localhost``, without /etc/hosts and without a resolver.

RFC 6761 section 6.3 says that names under ``.localhost`` are always loopback
and that an application may know that by itself. Browsers and curl do; glibc
does not, so neither does Python. This transport does, and refuses every other
name: a client of the platform has no business off the machine.
"""

from __future__ import annotations

import ipaddress
import os
import ssl

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._net.per_name import TransportPerName

LOOPBACK = "127.0.0.1"


def is_loopback_name(host: str) -> bool:
    """Whether RFC 6761 makes a name loopback: ``localhost`` itself or anything under it."""
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def loopback_address(host: str) -> str:
    """The loopback address that a host means, to connect a socket to.

    Raises ``ValueError`` for any host that is not loopback.
    """
    if is_loopback_name(host):
        return LOOPBACK
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise ValueError(f"{host} is not a loopback name or address")
    return str(address)


def tls_context(ca_file: str | os.PathLike[str]) -> ssl.SSLContext:
    """A client context that trusts one CA file and nothing else, with RFC 5280 strictness.

    Raises ``OSError`` when the file cannot be read and ``ssl.SSLError`` when it holds no certificate.
    """
    context = ssl.create_default_context(cafile=os.fspath(ca_file))
    # Python 3.13 sets this by default; 3.12 must judge the same certificates the same way.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


class LoopbackTransport(httpx.BaseTransport):
    """Connects names under ``.localhost`` to 127.0.0.1; SNI, Host and the verified name stay the real ones.

    ``ca_file`` is the only trust anchor; None allows plain http only.
    A request to any other name fails with ``httpx.ConnectError`` before a socket is opened.
    """

    def __init__(self, ca_file: str | os.PathLike[str] | None = None) -> None:
        # An empty context, not the system's: without a CA file nothing is to be trusted.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if ca_file is None else tls_context(ca_file)
        self._transports = TransportPerName(context)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        try:
            address = loopback_address(name)
        except ValueError as error:
            raise httpx.ConnectError(f"refused: {error}", request=request) from error
        extensions = dict(request.extensions)
        if address != name:
            extensions.setdefault("sni_hostname", name)
        routed = httpx.Request(
            method=request.method,
            url=request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions=extensions,
        )
        return self._transports.of(name).handle_request(routed)

    def close(self) -> None:
        self._transports.close()


def client(
    ca_file: str | os.PathLike[str] | None,
    *,
    base_url: str = "",
    timeout: float = 5.0,
    follow_redirects: bool = False,
    headers: dict[str, str] | None = None,
) -> httpx.Client:
    """An httpx client for the platform's public URLs; close it, or use it in a ``with``.

    ``timeout`` is seconds for each of connect, read, write and pool. Proxy variables
    and netrc of the environment are not read. A ``.localhost`` name needs no resolver.
    """
    return httpx.Client(
        transport=LoopbackTransport(ca_file),
        base_url=base_url,
        timeout=timeout,
        follow_redirects=follow_redirects,
        headers=headers,
        trust_env=False,
    )
