"""The local CA: strict verifiers accept it, its key is never replaced, certificates are renewed in time."""

from __future__ import annotations

import contextlib
import copy
import ipaddress
import os
import socket
import ssl
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._tls import certificates, pem
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.keep import Kept, keep
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

NOW = datetime.now(UTC).replace(microsecond=0)
CONTRACT: dict[str, Any] = {
    "contract": 1,
    "domain": "shop.localhost",
    "endpoints": {"web": {"host": "web.shop.localhost"}, "api": {"host": "api.shop.localhost"}},
    "services": {},
    "secrets": {},
}
SCOPE = certificates.Scope("shop.localhost")


class State:
    """A state directory and the contract its certificates are kept for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tls = root / "tls"
        self.contract = copy.deepcopy(CONTRACT)

    def keep(self, *, now: datetime = NOW, dry: bool = False) -> Kept:
        return keep(self.contract, self.root, now, dry=dry)

    def snapshot(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}

    def refused(self) -> ParityError:
        before = self.snapshot()
        with pytest.raises(ParityError) as caught:
            self.keep()
        assert self.snapshot() == before
        assert "BEGIN" not in str(caught.value)
        return caught.value

    def leaf(self, name: str) -> x509.Certificate:
        return pem.load_certificate(self.tls / name / "tls.crt")

    @property
    def ca(self) -> x509.Certificate:
        return pem.load_certificate(self.tls / "ca.crt")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "kind")


@pytest.fixture
def kept(state: State) -> State:
    state.keep()
    return state


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def handshake(ca_file: Path, directory: Path, name: str) -> None:
    """A TLS handshake in memory of a server with that certificate and a strict client."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    client = ssl.create_default_context(cafile=str(ca_file))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    left, right = socket.socketpair()
    for end in (left, right):
        end.settimeout(5)

    def serve() -> None:
        with contextlib.suppress(OSError), server.wrap_socket(left, server_side=True):
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client.wrap_socket(right, server_hostname=name).close()
    finally:
        left.close()
        right.close()
        thread.join()


def test_strict_client_accepts_every_endpoint(kept: State) -> None:
    for name in ("web", "api"):
        handshake(kept.tls / "ca.crt", kept.tls / name, f"{name}.shop.localhost")


def test_client_refuses_another_name(kept: State) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(kept.tls / "ca.crt", kept.tls / "web", "api.shop.localhost")


@pytest.mark.parametrize("host", ["example.com", "shop.localhost.example.com", "notshop.localhost"])
def test_ca_cannot_vouch_for_another_domain(kept: State, host: str) -> None:
    ca_key = pem.load_key(kept.tls / "ca.key")
    key = certificates.new_key()
    forged = certificates.issue_leaf(key, certificates.endpoint(host), kept.ca, ca_key, NOW)
    (kept.tls / "web/tls.crt").write_bytes(pem.encode_certificate(forged))
    (kept.tls / "web/tls.key").write_bytes(pem.encode_key(key))
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        handshake(kept.tls / "ca.crt", kept.tls / "web", host)
    assert "permitted subtree violation" in str(caught.value)


def test_domain_itself_is_within_the_constraint(state: State) -> None:
    state.contract["endpoints"]["web"]["host"] = "shop.localhost"
    state.keep()
    handshake(state.tls / "ca.crt", state.tls / "web", "shop.localhost")


def test_profile_of_the_ca(kept: State) -> None:
    extensions = kept.ca.extensions
    constraints = extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert constraints.value.permitted_subtrees == [x509.DNSName("shop.localhost")]
    excluded = [x509.IPAddress(ipaddress.ip_network(network)) for network in ("0.0.0.0/0", "::/0")]
    assert constraints.value.excluded_subtrees == excluded
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert (basic.value.ca, basic.value.path_length) == (True, 0)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert kept.ca.not_valid_after_utc == NOW + timedelta(days=365)
    assert kept.ca.subject.rfc4514_string() == "CN=gpuaas.parity local CA"


def test_profile_of_a_certificate(kept: State) -> None:
    leaf = kept.leaf("web")
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.DNSName("web.shop.localhost")]
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert leaf.not_valid_after_utc == NOW + timedelta(days=90)
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)
    assert kept.leaf("web").public_key() != kept.leaf("api").public_key()


def test_a_key_may_be_used_for_what_it_is_for_and_for_nothing_else(kept: State) -> None:
    for certificate, allowed in ((kept.ca, {"key_cert_sign", "crl_sign"}), (kept.leaf("web"), {"digital_signature"})):
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
        # RFC 5280 section 4.2.1.3; RFC 8813 section 3 forbids encipherment to keys of an elliptic curve.
        names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"]
        found = {name for name in [*names, "key_cert_sign", "crl_sign"] if getattr(usage.value, name)}
        assert (usage.critical, found) == (True, allowed)


def test_first_run(state: State) -> None:
    result = state.keep()
    assert result.changed
    assert set(result.issued) == {"ca", "api", "web"}
    assert result.ca_file == state.tls / "ca.crt"
    assert result.fingerprint is not None
    assert len(result.fingerprint) == 64
    assert result.not_after == state.ca.not_valid_after_utc


def test_second_run_changes_nothing(kept: State) -> None:
    before = kept.snapshot()
    result = kept.keep(now=NOW + timedelta(days=75))
    assert (result.changed, result.issued, result.removed) == (False, {}, [])
    assert kept.snapshot() == before


def test_check_mode_writes_nothing(state: State) -> None:
    result = state.keep(dry=True)
    assert set(result.issued) == {"ca", "api", "web"}
    assert (result.fingerprint, result.not_after) == (None, None)
    assert not state.root.exists()


def test_check_mode_on_what_exists(kept: State) -> None:
    before = kept.snapshot()
    result = kept.keep(now=NOW + timedelta(days=80), dry=True)
    assert result.changed
    assert set(result.issued) == {"api", "web"}
    assert result.fingerprint is not None
    assert kept.snapshot() == before


def test_permissions_whatever_the_umask(state: State) -> None:
    before = os.umask(0)
    try:
        state.keep()
    finally:
        os.umask(before)
    for path in (state.root, *state.root.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o644 if path.name == "ca.crt" else 0o600
        assert mode(path) == expected, path


def test_certificates_are_renewed_14_days_before_their_end(kept: State) -> None:
    ca = kept.ca
    assert kept.keep(now=NOW + timedelta(days=75, hours=23)).issued == {}
    later = NOW + timedelta(days=76)
    assert set(kept.keep(now=later).issued) == {"api", "web"}
    assert kept.leaf("web").not_valid_after_utc == later + timedelta(days=90)
    assert kept.ca == ca


def test_certificate_never_outlives_its_ca(kept: State) -> None:
    kept.keep(now=NOW + timedelta(days=300))
    assert kept.leaf("web").not_valid_after_utc == kept.ca.not_valid_after_utc


@pytest.mark.parametrize("later", [timedelta(days=351), timedelta(days=400), timedelta(days=-1)])
def test_ca_is_renewed_under_the_same_key(kept: State, later: timedelta) -> None:
    key = (kept.tls / "ca.key").read_bytes()
    result = kept.keep(now=NOW + later)
    assert "ca" in result.issued
    assert (kept.tls / "ca.key").read_bytes() == key
    assert kept.ca.not_valid_after_utc == NOW + later + timedelta(days=365)


def test_change_of_the_domain(kept: State) -> None:
    key = (kept.tls / "ca.key").read_bytes()
    kept.contract["domain"] = "other.localhost"
    for name, endpoint in kept.contract["endpoints"].items():
        endpoint["host"] = f"{name}.other.localhost"
    assert set(kept.keep().issued) == {"ca", "api", "web"}
    assert (kept.tls / "ca.key").read_bytes() == key
    handshake(kept.tls / "ca.crt", kept.tls / "web", "web.other.localhost")


def test_change_of_a_host(kept: State) -> None:
    kept.contract["endpoints"]["web"]["host"] = "www.shop.localhost"
    assert kept.keep().issued == {"web": "it is for another name"}
    handshake(kept.tls / "ca.crt", kept.tls / "web", "www.shop.localhost")


def test_certificate_of_a_dropped_endpoint_is_removed(kept: State) -> None:
    del kept.contract["endpoints"]["api"]
    assert kept.keep(dry=True).removed == ["api"]
    assert (kept.tls / "api").exists()
    result = kept.keep()
    assert (result.changed, result.removed) == (True, ["api"])
    assert not (kept.tls / "api").exists()


def _missing(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _garbage(path: Path) -> None:
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:80])


def _foreign_key(path: Path) -> None:
    path.write_bytes(pem.encode_key(certificates.new_key()))


def _rsa_key(path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _foreign_ca(path: Path) -> None:
    path.write_bytes(pem.encode_certificate(certificates.issue_ca(certificates.new_key(), SCOPE, NOW)))


def _two_certificates(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)


def _readable(path: Path) -> None:
    path.chmod(0o644)


Damage = Callable[[Path], None]


@pytest.mark.parametrize("damage", [_missing, _empty, _garbage, _truncated, _foreign_key, _rsa_key])
def test_broken_ca_key_is_refused(kept: State, damage: Damage) -> None:
    damage(kept.tls / "ca.key")
    error = kept.refused()
    assert error.reason == "CA_CORRUPT"
    assert "{reset}" in error.do


@pytest.mark.parametrize("damage", [_missing, _empty, _garbage, _truncated, _foreign_ca, _two_certificates])
def test_broken_ca_certificate_is_refused(kept: State, damage: Damage) -> None:
    damage(kept.tls / "ca.crt")
    assert kept.refused().reason == "CA_CORRUPT"


def test_lost_ca_is_not_replaced(kept: State) -> None:
    (kept.tls / "ca.key").unlink()
    (kept.tls / "ca.crt").unlink()
    assert kept.refused().reason == "CA_CORRUPT"


def test_certificate_without_key_is_not_replaced(state: State) -> None:
    state.contract["endpoints"] = {}
    state.keep()
    (state.tls / "ca.key").unlink()
    assert state.refused().reason == "CA_CORRUPT"


def test_key_that_others_may_read_is_refused(kept: State) -> None:
    (kept.tls / "ca.key").chmod(0o640)
    error = kept.refused()
    assert error.reason == "CA_PERMISSIONS"
    assert "0640" in error.seen


def test_key_that_is_a_link_is_refused(kept: State, tmp_path: Path) -> None:
    (kept.tls / "ca.key").rename(tmp_path / "key")
    (kept.tls / "ca.key").symlink_to(tmp_path / "key")
    assert kept.refused().reason == "CA_PERMISSIONS"


def test_key_of_another_user_is_refused(kept: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: (kept.tls / "ca.key").stat().st_uid + 1)
    assert kept.refused().reason == "CA_PERMISSIONS"


def test_interrupted_first_run_is_completed(kept: State) -> None:
    key = (kept.tls / "ca.key").read_bytes()
    for path in kept.tls.rglob("*"):
        if path.is_file() and path.name != "ca.key":
            path.unlink()
    (kept.tls / ".ca.crt.0123.tmp").touch()
    assert set(kept.keep().issued) == {"ca", "api", "web"}
    assert (kept.tls / "ca.key").read_bytes() == key
    assert not (kept.tls / ".ca.crt.0123.tmp").exists()


@pytest.mark.parametrize("file", ["tls.key", "tls.crt"])
@pytest.mark.parametrize("damage", [_missing, _empty, _garbage, _foreign_key, _readable])
def test_broken_certificate_is_issued_anew(kept: State, file: str, damage: Damage) -> None:
    damage(kept.tls / "web" / file)
    assert set(kept.keep().issued) == {"web"}
    handshake(kept.tls / "ca.crt", kept.tls / "web", "web.shop.localhost")


def test_certificate_of_another_ca_is_issued_anew(kept: State) -> None:
    other_key, key = certificates.new_key(), certificates.new_key()
    other = certificates.issue_ca(other_key, SCOPE, NOW)
    leaf = certificates.issue_leaf(key, certificates.endpoint("web.shop.localhost"), other, other_key, NOW)
    (kept.tls / "web/tls.crt").write_bytes(pem.encode_certificate(leaf))
    (kept.tls / "web/tls.key").write_bytes(pem.encode_key(key))
    assert kept.keep().issued == {"web": "another CA signed it"}


def test_permissions_of_the_ca_certificate_are_repaired(kept: State) -> None:
    (kept.tls / "ca.crt").chmod(0o600)
    assert kept.keep().changed
    assert mode(kept.tls / "ca.crt") == 0o644
