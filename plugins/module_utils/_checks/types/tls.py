# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An endpoint's certificate, met the way a client meets it."""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import EVERYWHERE, Context, Observation, failed, passed

_DAY = 86400.0


@dataclass(frozen=True)
class Tls:
    """A handshake for the URL's host: the chain ends at a CA that is trusted here, the name matches, ``days`` are left.

    On this machine that is our CA alone, elsewhere the one that was given. Chain by RFC 5280 and name by RFC 9525, as
    the ssl module verifies them; TLS 1.2 or newer. No request is sent.
    """

    targets: ClassVar[frozenset[str]] = EVERYWHERE
    url: str
    days: float = 14

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError(f"{self.url} is not an https URL")

    def run(self, context: Context) -> Observation:
        parts = urlsplit(self.url)
        host, port = str(parts.hostname), parts.port or 443
        try:
            trust, address = context.trust(), context.reach(host, port)
        except (OSError, ssl.SSLError, ValueError) as error:
            return failed("TLS_INVALID", f"{host}:{port}: {error}")
        trust.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            with (
                socket.create_connection(address, context.patience) as raw,
                trust.wrap_socket(raw, server_hostname=host) as secured,
            ):
                certificate, version = secured.getpeercert() or {}, secured.version()
        except ssl.SSLCertVerificationError as error:
            return failed("TLS_INVALID", f"{host}:{port}: {error.verify_message}")
        except (ssl.SSLError, TimeoutError, ConnectionError, OSError) as error:
            return failed("TLS_INVALID", f"{host}:{port}: no handshake: {error}")
        ends = str(certificate.get("notAfter"))
        left = (ssl.cert_time_to_seconds(ends) - time.time()) / _DAY
        if left < self.days:
            return failed("TLS_EXPIRING", f"the certificate of {host} ends in {left:.1f} days, on {ends}")
        return passed(f"{host}:{port}: {version}, {left:.0f} days left", not_after=ends)
