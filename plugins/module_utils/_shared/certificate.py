# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate that a shared platform shows for one of its names."""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._shared.reading import Address

_DAY = 86400.0


@dataclass(frozen=True)
class Certificate:
    """A handshake with ``address`` for ``host``: the chain is trusted, the name matches, ``days`` are left.

    Chain by RFC 5280 and name by RFC 9525, as the ssl module verifies them. No request is sent.
    """

    host: str
    address: Address
    trust: ssl.SSLContext
    days: float = 14
    timeout: float = 5.0

    def run(self, context: Context) -> Observation:
        where = f"{self.host} at {self.address}"
        try:
            with (
                socket.create_connection((self.address.host, self.address.port), self.timeout) as raw,
                self.trust.wrap_socket(raw, server_hostname=self.host) as secured,
            ):
                certificate, version = secured.getpeercert() or {}, secured.version()
        except ssl.SSLCertVerificationError as error:
            return failed("TLS_INVALID", f"{where}: {error.verify_message}")
        except OSError as error:
            return failed("HTTP_UNREACHABLE", f"{where}: no handshake: {error}")
        ends = str(certificate.get("notAfter"))
        left = (ssl.cert_time_to_seconds(ends) - time.time()) / _DAY
        if left < self.days:
            return failed("TLS_EXPIRING", f"the certificate of {where} ends in {left:.1f} days, on {ends}")
        return passed(f"{where}: {version}, {left:.0f} days left", not_after=ends)
