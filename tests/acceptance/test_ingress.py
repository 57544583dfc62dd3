"""TLS of the ingress: our CA, the right names, nothing old, and trusted by nobody who was not asked."""

from __future__ import annotations

import socket
import ssl

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from .running import Object, Running

SECONDS = 10


def connect(context: ssl.SSLContext, endpoint: Object, name: str | None = None) -> tuple[bytes, str]:
    """The certificate (DER) and the protocol that an endpoint offers to ``name``."""
    # RFC 6761 6.3: names under .localhost are loopback, whatever the resolver says.
    address = ("127.0.0.1", endpoint["port"])
    with (
        socket.create_connection(address, SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=name or endpoint["host"]) as tls,
    ):
        return tls.getpeercert(binary_form=True) or b"", str(tls.version())


@pytest.fixture(scope="module")
def context(running: Running) -> ssl.SSLContext:
    return loopback.tls_context(running.state_dir / "tls" / "ca.crt")


@pytest.fixture(params=["web", "api", "auth"])
def endpoint(request: pytest.FixtureRequest, running: Running) -> Object:
    return dict(running.contract["endpoints"][request.param])


def test_all_endpoints_are_tested(running: Running) -> None:
    assert set(running.contract["endpoints"]) == {"web", "api", "auth"}


def test_the_chain_ends_at_our_ca(endpoint: Object, context: ssl.SSLContext, running: Running) -> None:
    served, version = connect(context, endpoint)
    assert version in ("TLSv1.2", "TLSv1.3")
    authority = x509.load_pem_x509_certificate((running.state_dir / "tls" / "ca.crt").read_bytes())
    verifier = PolicyBuilder().store(Store([authority])).build_server_verifier(x509.DNSName(endpoint["host"]))
    chain = verifier.verify(x509.load_der_x509_certificate(served), [])
    assert chain[-1] == authority


def test_a_name_that_is_not_ours_gets_no_valid_certificate(endpoint: Object, context: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(context, endpoint, "nobody.gpuaas.localhost")


def test_the_system_does_not_trust_the_ca(endpoint: Object) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(ssl.create_default_context(), endpoint)


# What is deprecated is what is tried.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(endpoint: Object) -> None:
    # Below the library's default, on purpose: the server must refuse and not only this client.
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        connect(old, endpoint)


def test_the_ca_can_vouch_for_our_domain_only(running: Running) -> None:
    authority = x509.load_pem_x509_certificate((running.state_dir / "tls" / "ca.crt").read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [str(name.value) for name in constraints.value.permitted_subtrees or []] == [running.contract["domain"]]


def test_the_endpoints_health_answers(endpoint: Object, running: Running) -> None:
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=SECONDS) as client:
        assert client.get(f"{endpoint['url']}{endpoint['health']}").status_code == 200


def test_the_api_wants_a_token(running: Running) -> None:
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=SECONDS) as client:
        answer = client.get(f"{running.contract['endpoints']['api']['url']}/v1/instances")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_temporary_admin_is_gone(running: Running) -> None:
    secret = (running.state_dir / "secrets" / "files" / "keycloak" / "bootstrap_admin_client_secret").read_text(encoding="utf-8").strip()
    client_id = running.contract["services"]["keycloak"]["settings"]["KC_BOOTSTRAP_ADMIN_CLIENT_ID"]
    token_url = f"{running.contract['endpoints']['auth']['url']}/realms/master/protocol/openid-connect/token"
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=SECONDS) as client:
        answer = client.post(token_url, data={"grant_type": "client_credentials"}, auth=(client_id, secret))
    assert answer.status_code == 401, answer.text
