# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a shared platform: one address, the mode's own host names, and only requests that read.

This is the one place through which anything of a shared check leaves, so the
promise that nothing there can be changed is kept here and not by the checks.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Collection
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import tls_context
from ansible_collections.gpuaas.parity.plugins.module_utils._net.per_name import TransportPerName

# Safe by RFC 9110 section 9.2.1: a client that sends them asks for no change.
READS = ("GET", "HEAD")
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?")
_HOW = "ansible-playbook playbooks/validate.yml -i inventories/{mode} -e parity_address=<host or ip>:<port>"


@dataclass(frozen=True)
class Address:
    """Where the mode's ingress listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, mode: str) -> Address:
    """``host:port``, ``ip:port`` or ``[ipv6]:port``; the port may be left out and is 443 then.

    Raises ParityError ``MODE_NO_ENDPOINT`` when there is none, or something that is no address.
    """
    do = f"{_HOW.format(mode=mode)}   # with -e parity_ca_file=<file> where its CA is not the system's"
    if not text.strip():
        raise ParityError("MODE_NO_ENDPOINT", f"no address is given at which {mode} could be looked at", do)
    host, _separator, port = text.strip().rpartition(":")
    if not host or text.strip().endswith("]"):
        host, port = text.strip(), "443"
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    known = _is_ip(bare) if (":" in bare or host != bare) else bool(_HOST.fullmatch(bare))
    if not known or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ParityError("MODE_NO_ENDPOINT", f"parity_address is {text.strip()!r}, which is not host:port", do)
    return Address(bare, int(port))


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def trust(ca_file: str | os.PathLike[str] | None) -> ssl.SSLContext:
    """A client context that trusts one CA file alone, or the system's where none is given; TLS 1.2 or newer.

    Raises ParityError ``TLS_INVALID`` for a file that is not there or holds no certificate.
    """
    try:
        context = tls_context(ca_file) if ca_file else ssl.create_default_context()
    except (OSError, ssl.SSLError) as error:
        raise ParityError("TLS_INVALID", f"{ca_file}: {error}", "give -e parity_ca_file=<file with the CA, PEM>") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class ReadingTransport(httpx.BaseTransport):
    """Sends requests for the mode's ``hosts`` to ``address``; SNI, Host and the verified name stay the real ones.

    A method that is not a read, another host, or a request with credentials or a body fails with
    ``httpx.ConnectError`` before a socket is opened.
    """

    def __init__(self, address: Address, hosts: Collection[str], context: ssl.SSLContext) -> None:
        self._address = address
        self._hosts = frozenset(hosts)
        self._transports = TransportPerName(context)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        wrong = self._wrong(request, name)
        if wrong:
            raise httpx.ConnectError(f"refused before it was sent: {wrong}", request=request)
        routed = httpx.Request(
            method=request.method,
            url=request.url.copy_with(host=self._address.host, port=self._address.port),
            headers=request.headers,
            extensions={**request.extensions, "sni_hostname": name},
        )
        return self._transports.of(name).handle_request(routed)

    def _wrong(self, request: httpx.Request, name: str) -> str:
        if request.method not in READS:
            return f"{request.method} is not a request that only reads"
        if request.url.scheme != "https" or name not in self._hosts:
            return f"{request.url.scheme}://{name} is not an endpoint of this mode"
        for header in ("authorization", "cookie", "content-length", "transfer-encoding"):
            if header in request.headers:
                return f"it carries {header}"
        return ""

    def close(self) -> None:
        self._transports.close()


def reading_client(address: Address, hosts: Collection[str], context: ssl.SSLContext, timeout: float = 5.0) -> httpx.Client:
    """An httpx client over `ReadingTransport`; redirects are not followed, proxies and netrc not read. Close it."""
    return httpx.Client(
        transport=ReadingTransport(address, hosts, context),
        timeout=timeout,
        follow_redirects=False,
        headers={"User-Agent": "gpuaas.parity shared check"},
        trust_env=False,
    )
