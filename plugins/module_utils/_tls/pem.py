# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys and certificates as PEM files."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import ec, exceptions, serialization, x509
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.certificates import Key


def encode_key(key: Key) -> bytes:
    """PKCS #8, unencrypted: who may read the file may use the key."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def encode_certificate(certificate: x509.Certificate) -> bytes:
    """One PEM block."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def load_key(path: Path) -> Key:
    """The P-256 key in ``path``. Raises OSError or ValueError; neither quotes the file."""
    data = path.read_bytes()
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, exceptions.UnsupportedAlgorithm):
        raise ValueError("is not a private key in PEM") from None
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("is not a key on P-256")


def load_certificate(path: Path) -> x509.Certificate:
    """The one certificate in ``path``. Raises OSError or ValueError."""
    data = path.read_bytes()
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError:
        raise ValueError("is not a certificate in PEM") from None
    if len(found) != 1:
        raise ValueError("must hold exactly one certificate")
    return found[0]


def same_key(certificate: x509.Certificate, key: Key) -> bool:
    """Whether ``certificate`` was made for ``key``."""
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)
