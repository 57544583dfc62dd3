"""The platform that the browser is sent to: its URLs, its users and its certificates."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ROOT = Path(__file__).resolve().parents[2]
CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Account:
    """A demo user. The password is never shown, not even in a traceback."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Platform:
    """What ``up`` left in the state directory."""

    state_dir: Path
    contract: dict[str, Any] = field(repr=False)

    @classmethod
    def load(cls) -> Platform:
        """The platform of this checkout, or of ``PARITY_STATE_DIR``; ``FileNotFoundError`` when it is not up."""
        state_dir = Path(os.environ.get("PARITY_STATE_DIR") or ROOT / ".parity" / "kind")
        return cls(state_dir, json.loads((state_dir / "rendered" / "contract.json").read_text(encoding="utf-8")))

    def url(self, endpoint: str) -> str:
        """The public URL of an endpoint, as a user types it."""
        return str(self.contract["endpoints"][endpoint]["url"])

    def account(self, name: str) -> Account:
        """A demo user with the password that this run generated."""
        values = yaml.safe_load((self.state_dir / "secrets" / "secrets.yml").read_text(encoding="utf-8"))
        return Account(name, values[f"user_{name}_password"])

    def pins(self) -> list[str]:
        """The public key of each endpoint's certificate, as Chromium's ``spki-list`` wants it.

        Each is read from a connection that was verified here: our CA, the right
        name, RFC 5280 strictness. A browser that is given these keys, and no more,
        accepts what has been verified and nothing else.
        """
        context = ssl.create_default_context(cafile=self.state_dir / "tls" / "ca.crt")
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return sorted({_pin(context, end["host"], end["port"]) for end in self.contract["endpoints"].values()})


def _pin(context: ssl.SSLContext, host: str, port: int) -> str:
    # RFC 6761 6.3: names under .localhost are loopback, whatever the resolver says.
    with (
        socket.create_connection(("127.0.0.1", port), CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as tls,
    ):
        certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
