# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ingress refuses over TLS what no client of the platform sends."""

from __future__ import annotations

import socket
import ssl
import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx

_NOBODY = "nobody"
# RFC 9325 4.2 wants AEAD; these are the suites of TLS 1.2 with forward secrecy that are none.
_WITHOUT_AEAD = "ECDHE+AES:!AESGCM:!AESCCM:@SECLEVEL=0"
_OLDEST, _NEWEST_REFUSED = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
_MISDIRECTED = 421
_YEAR = 31536000


@dataclass(frozen=True)
class TlsStrict:
    """A name that is nobody's gets no certificate (RFC 6066 3: unrecognized_name). TLS before 1.2 and suites without AEAD are
    refused (RFC 9325 3.1.1, 4.2). A request whose Host is another endpoint's than its SNI gets 421 (RFC 9110 15.5.20). Every
    endpoint says Strict-Transport-Security, for a year at least (OWASP ASVS 5.0, 3.4.1).
    """

    targets: ClassVar[frozenset[str]] = HERE

    def run(self, context: Context) -> Observation:
        endpoints = list(context.contract["endpoints"].values())
        first = endpoints[0]
        nobody = f"{_NOBODY}.{first['host'].partition('.')[2]}"
        old = {"minimum": _OLDEST, "maximum": _NEWEST_REFUSED, "ciphers": "ALL:@SECLEVEL=0"}
        unsuited = {"maximum": ssl.TLSVersion.TLSv1_2, "ciphers": _WITHOUT_AEAD}
        tried: tuple[tuple[str, str, dict[str, Any]], ...] = (
            (f"{nobody}, a name that is nobody's, gets a certificate", nobody, {}),
            (f"{first['host']} speaks TLS older than 1.2", first["host"], old),
            (f"{first['host']} agrees to a cipher suite without AEAD", first["host"], unsuited),
        )
        try:
            for wrong, name, settings in tried:
                if said := _handshake(context, name, int(first["port"]), **settings):
                    return failed("TLS_LAX", f"{wrong}: {said}")
            return _answers(context, endpoints)
        except (OSError, httpx.TransportError) as error:
            return failed("HTTP_UNREACHABLE", f"{first['host']}:{first['port']}: {type(error).__name__}: {error}")


def _handshake(context: Context, name: str, port: int, **settings: Any) -> str:
    """The protocol and cipher suite that were agreed on, empty where there was no agreement. Raises OSError where nobody listens."""
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        # That they are deprecated is why they are tried.
        warnings.simplefilter("ignore", DeprecationWarning)
        if "ciphers" in settings:
            lax.set_ciphers(settings["ciphers"])
        lax.minimum_version = settings.get("minimum", ssl.TLSVersion.TLSv1_2)
        lax.maximum_version = settings.get("maximum", ssl.TLSVersion.MAXIMUM_SUPPORTED)
    with socket.create_connection(context.reach(name, port), context.patience) as raw:
        try:
            with lax.wrap_socket(raw, server_hostname=name) as secured:
                return f"{secured.version()} {(secured.cipher() or ('',))[0]}"
        except (ssl.SSLError, ConnectionError):
            return ""


def _answers(context: Context, endpoints: list[dict[str, Any]]) -> Observation:
    for one, other in pairwise(endpoints):
        # A path that the other answers at: elsewhere it has no route, and is not asked at all.
        answer = context.http.get(f"{one['url']}{other['health']}", headers={"Host": f"{other['host']}:{other['port']}"})
        if answer.status_code != _MISDIRECTED:
            seen = f"a request for {other['host']} on a connection to {one['host']} is answered {answer.status_code}, not {_MISDIRECTED}"
            return failed("TLS_LAX", seen)
    for endpoint in endpoints:
        said = context.http.get(f"{endpoint['url']}{endpoint['health']}").headers.get("strict-transport-security", "")
        seconds = said.lower().partition("max-age=")[2].partition(";")[0].strip()
        if not seconds.isdecimal() or int(seconds) < _YEAR:
            return failed("TLS_LAX", f"{endpoint['host']} says Strict-Transport-Security {said or 'not at all'!r}")
    return passed("no certificate for a name that is nobody's, TLS 1.2 with AEAD or 1.3 alone, 421 for a foreign Host, HSTS")
