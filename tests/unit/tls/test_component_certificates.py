"""Certificates of components: what the CA may then vouch for, and a handshake in which both sides show one."""

from __future__ import annotations

import copy
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._tls import certificates, pem
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.keep import Kept, keep
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

NOW = datetime.now(UTC).replace(microsecond=0)
HOST = "bus.shop.svc.cluster.local"
SERVER = {"usage": "server", "names": [HOST, "bus.shop.localhost"]}
CLIENT = {"usage": "client"}
CONTRACT: dict[str, Any] = {
    "contract": 1,
    "domain": "shop.localhost",
    "endpoints": {"web": {"host": "web.shop.localhost"}},
    "services": {
        "bus": {"certificates": {"server": SERVER}},
        "worker": {"certificates": {"client": CLIENT}},
        "plain": {},
    },
    "secrets": {},
}


class State:
    """A state directory and the contract its certificates are kept for."""

    def __init__(self, root: Path) -> None:
        self.root, self.tls = root, root / "tls"
        self.contract = copy.deepcopy(CONTRACT)

    def keep(self, now: datetime = NOW) -> Kept:
        return keep(self.contract, self.root, now, dry=False)

    def certificate(self, name: str) -> x509.Certificate:
        return pem.load_certificate(self.tls / name / "tls.crt")

    @property
    def ca(self) -> x509.Certificate:
        return pem.load_certificate(self.tls / "ca.crt")

    def verifier(self) -> PolicyBuilder:
        return PolicyBuilder().store(Store([self.ca])).time(NOW)

    def context(self, side: ssl._SSLMethod, name: str | None) -> ssl.SSLContext:
        """Of a peer that trusts the CA alone, demands a certificate, and shows the one of ``name``."""
        context = ssl.SSLContext(side)
        context.load_verify_locations(self.tls / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        if name:
            context.load_cert_chain(self.tls / name / "tls.crt", self.tls / name / "tls.key")
        return context


@pytest.fixture
def kept(tmp_path: Path) -> State:
    state = State(tmp_path / "kind")
    state.keep()
    return state


def said(state: State, server: str, client: str | None, host: str) -> str:
    """A word over TLS on loopback: the common name of the client that the server saw, or why there was no connection."""
    context = state.context(ssl.PROTOCOL_TLS_SERVER, server)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def serve() -> None:
            accepted, _address = listener.accept()
            accepted.settimeout(5)
            try:
                with context.wrap_socket(accepted, server_side=True) as stream:
                    subject = dict(entry[0] for entry in stream.getpeercert()["subject"])  # type: ignore[index, misc, arg-type]
                    stream.sendall(str(subject["commonName"]).encode())
            except (OSError, ssl.SSLError):
                accepted.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname(), timeout=5) as plain,
                state.context(ssl.PROTOCOL_TLS_CLIENT, client).wrap_socket(plain, server_hostname=host) as stream,
            ):
                # With TLS 1.3 a server refuses a client only after the handshake of that one.
                return stream.recv(100).decode()
        except (OSError, ssl.SSLError) as error:
            return f"refused: {error}"
        finally:
            thread.join()


@pytest.mark.parametrize("host", [HOST, "bus.shop.localhost"])
def test_each_side_knows_the_other(kept: State, host: str) -> None:
    assert said(kept, "bus-server", "worker-client", host) == "worker"


def test_who_shows_no_certificate_hears_nothing(kept: State) -> None:
    assert said(kept, "bus-server", None, HOST) == "" or "refused" in said(kept, "bus-server", None, HOST)


def test_a_servers_certificate_is_none_of_a_client_and_the_other_way_round(kept: State) -> None:
    assert said(kept, "bus-server", "bus-server", HOST) != "bus"
    assert "refused" in said(kept, "worker-client", "worker-client", "worker")


def test_one_certificate_may_be_both(kept: State) -> None:
    kept.contract["services"]["bus"]["certificates"]["server"]["usage"] = "both"
    assert kept.keep().issued == {"bus-server": "it is for another name"}
    assert said(kept, "bus-server", "bus-server", HOST) == "bus"


def test_chains_verify_as_server_and_as_client(kept: State) -> None:
    kept.verifier().build_server_verifier(x509.DNSName(HOST)).verify(kept.certificate("bus-server"), [])
    seen = kept.verifier().build_client_verifier().verify(kept.certificate("worker-client"), [])
    assert seen.subjects == [x509.UniformResourceIdentifier("spiffe://shop.localhost/worker")]
    with pytest.raises(VerificationError):
        kept.verifier().build_client_verifier().verify(kept.certificate("bus-server"), [])


@pytest.mark.parametrize(
    "host", ["bus", "bus.shop", "bus.shop.svc", "shop.svc.cluster.local", "other.shop.svc.cluster.local", "example.com"]
)
def test_ca_vouches_for_no_other_internal_name(kept: State, host: str) -> None:
    key, ca_key = certificates.new_key(), pem.load_key(kept.tls / "ca.key")
    forged = certificates.issue_leaf(key, certificates.Profile("bus", (host,)), kept.ca, ca_key, NOW)
    (kept.tls / "bus-server/tls.crt").write_bytes(pem.encode_certificate(forged))
    (kept.tls / "bus-server/tls.key").write_bytes(pem.encode_key(key))
    assert "permitted subtree violation" in said(kept, "bus-server", "worker-client", host)
    with pytest.raises(VerificationError):
        kept.verifier().build_server_verifier(x509.DNSName(host)).verify(forged, [])


def test_ca_without_component_certificates_is_as_narrow_as_ever(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.contract["services"] = {"plain": {}}
    state.keep()
    constraints = state.ca.extensions.get_extension_for_class(x509.NameConstraints).value
    assert constraints.permitted_subtrees == [x509.DNSName("shop.localhost")]
    purposes = state.ca.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_first_component_certificate_renews_the_ca_under_its_key_and_nothing_else(tmp_path: Path) -> None:
    state = State(tmp_path)
    services, state.contract["services"] = state.contract["services"], {}
    state.keep()
    key, web = (state.tls / "ca.key").read_bytes(), state.certificate("web")
    state.contract["services"] = services
    result = state.keep()
    assert set(result.issued) == {"ca", "bus-server", "worker-client"}
    assert result.issued["ca"] == "it is incomplete, expires soon or is for other names"
    assert (state.tls / "ca.key").read_bytes() == key
    assert state.certificate("web") == web
    state.verifier().build_server_verifier(x509.DNSName("web.shop.localhost")).verify(web, [])
    assert not state.keep().changed


def test_certificates_are_renewed_for_new_names_and_in_time_and_removed_when_dropped(kept: State) -> None:
    kept.contract["services"]["bus"]["certificates"]["server"]["names"] = [HOST]
    assert kept.keep().issued == {"bus-server": "it is for another name"}
    later = kept.keep(NOW + timedelta(days=80))
    assert later.issued["worker-client"] == "it expires soon"
    del kept.contract["services"]["worker"]
    assert kept.keep(NOW + timedelta(days=80)).removed == ["worker-client"]
    assert not (kept.tls / "worker-client").exists()


def test_what_the_surroundings_provide_gets_none(kept: State) -> None:
    kept.contract["services"]["bus"]["provided_by"] = "somebody"
    assert kept.keep().removed == ["bus-server"]
