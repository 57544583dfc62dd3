"""Certificates and a kubeconfig as kubeadm makes them."""

from __future__ import annotations

import base64
import datetime
import ipaddress
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Pki:
    """What kubeadm makes: a CA, the API server's certificate, and the administrator's."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self._issue("kubernetes", self._key, None, ca=True)

    def _issue(self, name: str, key: ec.EllipticCurvePrivateKey, address: str | None, ca: bool = False) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if ca else self.ca.subject
        public = self._key.public_key()
        builder = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        )
        if ca:
            usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        if address:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def pair(self, name: str, address: str | None = None) -> tuple[bytes, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issue(name, key, address).public_bytes(serialization.Encoding.PEM)
        form = serialization.PrivateFormat.PKCS8
        return certificate, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    @property
    def ca_pem(self) -> bytes:
        return self.ca.public_bytes(serialization.Encoding.PEM)


PKI = Pki()


def kubeconfig(server: str, pki: Pki = PKI, **changes: Any) -> dict[str, Any]:
    certificate, key = pki.pair("admin")
    encoded = {name: base64.b64encode(value).decode() for name, value in (("c", certificate), ("k", key), ("ca", pki.ca_pem))}
    document: dict[str, Any] = {
        "current-context": "kind-gpuaas-parity",
        "contexts": [{"name": "kind-gpuaas-parity", "context": {"cluster": "kind-gpuaas-parity", "user": "admin"}}],
        "clusters": [
            {
                "name": "kind-gpuaas-parity",
                "cluster": {"server": server, "certificate-authority-data": encoded["ca"]},
            }
        ],
        "users": [{"name": "admin", "user": {"client-certificate-data": encoded["c"], "client-key-data": encoded["k"]}}],
    }
    return {**document, **changes}
