"""A certificate authority of the tests."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


class Authority:
    """``ca_file`` verifies a server that serves with ``certificate``, a PEM file with its key, on 127.0.0.1."""

    def __init__(self, directory: Path) -> None:
        self.ca_file = directory / "ca.crt"
        self.certificate = directory / "server.pem"
        key, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self._key, self._issuer = key, _name(f"test CA {directory.name}")
        loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        ca = self._signed(key, self._issuer, x509.BasicConstraints(ca=True, path_length=None))
        server = self._signed(leaf, _name("127.0.0.1"), loopback)
        self.ca_file.write_bytes(ca)
        private = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.certificate.write_bytes(private + server)

    def issue(self, name: str, directory: Path) -> Path:
        """A directory as a component mounts it: a certificate of subject ``CN=name``, its key, and the CA."""
        directory.mkdir()
        leaf = ec.generate_private_key(ec.SECP256R1())
        loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        (directory / "tls.crt").write_bytes(self._signed(leaf, _name(name), loopback))
        (directory / "tls.key").write_bytes(leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (directory / "ca.crt").write_bytes(self.ca_file.read_bytes())
        return directory

    def _signed(self, key: ec.EllipticCurvePrivateKey, subject: x509.Name, extension: x509.ExtensionType) -> bytes:
        now = datetime.now(UTC)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        )
        if subject == self._issuer:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(identifier, critical=False).add_extension(usage, critical=True)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
