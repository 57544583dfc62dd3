# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two profiles of certificates: the local CA, and what it signs.

RFC 5280: 4.2.1.1 and 4.2.1.2 (key identifiers, which strict verifiers demand),
4.2.1.9 (basic constraints), 4.2.1.10 (name constraints). The CA is a
technically constrained one in the sense of the CA/Browser Forum's Baseline
Requirements 7.1.2.5: it can vouch for TLS servers below one domain, for the
components' internal hosts that the contract names, and for nothing else.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import ec, hashes, x509

CA_NAME = "gpuaas.parity local CA"
CA_LIFE = timedelta(days=365)
LEAF_LIFE = timedelta(days=90)
# A clock may have been set back a little between two runs.
_BACKDATE = timedelta(minutes=5)

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Scope:
    """What a CA may vouch for: servers at and below ``domain`` and ``hosts``, and clients where ``clients`` says so."""

    domain: str
    hosts: tuple[str, ...] = ()
    clients: bool = False


@dataclass(frozen=True)
class Profile:
    """What a certificate says.

    ``name`` is the subject's common name. A server's has ``hosts``; a client's has ``identity``, a URI,
    because its name alone is none that verifiers look at. One certificate may be both.
    """

    name: str
    hosts: tuple[str, ...] = ()
    identity: str = ""

    @property
    def subject(self) -> x509.Name:
        """The subject."""
        return _name(self.name)

    @property
    def names(self) -> x509.SubjectAlternativeName:
        """The subject's alternative names (RFC 5280 4.2.1.6)."""
        identities = [x509.UniformResourceIdentifier(self.identity)] if self.identity else []
        return x509.SubjectAlternativeName([*(x509.DNSName(host) for host in self.hosts), *identities])

    @property
    def purposes(self) -> x509.ExtendedKeyUsage:
        """Server, client, or both (RFC 5280 4.2.1.12)."""
        server = [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH] if self.hosts else []
        return x509.ExtendedKeyUsage([*server, *([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH] if self.identity else [])])


def new_key() -> Key:
    """A key on NIST P-256, which every TLS stack knows."""
    return ec.generate_private_key(ec.SECP256R1())


def endpoint(host: str) -> Profile:
    """The profile of a public name's certificate."""
    # The host stands in the SAN alone (RFC 9525 section 2); as a common name it could be too long.
    return Profile("gpuaas.parity endpoint", (host,))


def ca_extensions(scope: Scope) -> dict[type[x509.ExtensionType], tuple[x509.ExtensionType, bool]]:
    """What the CA may do, each with whether it is critical.

    A dNSName constraint admits the name and every name below it (RFC 5280 4.2.1.10);
    addresses are a name form of their own and are excluded whole.
    """
    everywhere = [x509.IPAddress(ipaddress.ip_network(network)) for network in ("0.0.0.0/0", "::/0")]
    names = [x509.DNSName(name) for name in (scope.domain, *scope.hosts)]
    purposes = [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH, *([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH] if scope.clients else [])]
    return {
        x509.BasicConstraints: (x509.BasicConstraints(ca=True, path_length=0), True),
        x509.NameConstraints: (x509.NameConstraints(names, everywhere), True),
        x509.KeyUsage: (_usage(key_cert_sign=True, crl_sign=True), True),
        x509.ExtendedKeyUsage: (x509.ExtendedKeyUsage(purposes), False),
    }


def issue_ca(key: Key, scope: Scope, now: datetime) -> x509.Certificate:
    """A self-signed CA certificate for ``scope``, valid for a year."""
    name = _name(CA_NAME)
    builder = _builder(name, name, key.public_key(), now, now + CA_LIFE)
    for extension, critical in ca_extensions(scope).values():
        builder = builder.add_extension(extension, critical)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.add_extension(identifier, False).sign(key, hashes.SHA256())


def issue_leaf(key: Key, profile: Profile, ca: x509.Certificate, ca_key: Key, now: datetime) -> x509.Certificate:
    """A certificate that says exactly what ``profile`` does, valid for 90 days but never longer than its CA."""
    until = min(now + LEAF_LIFE, ca.not_valid_after_utc)
    return (
        _builder(profile.subject, ca.subject, key.public_key(), now, until)
        .add_extension(profile.names, False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(_usage(digital_signature=True), True)
        .add_extension(profile.purposes, False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
        .sign(ca_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, common_name)])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
