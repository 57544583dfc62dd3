"""TLS of the ingress: our CA, the right names, nothing old, and trusted by nobody who was not asked."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback
from ansible_collections.gpuaas.parity.tests import slow_bodies
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


@pytest.fixture(params=["web", "api", "auth", "auth-admin"])
def endpoint(request: pytest.FixtureRequest, running: Running) -> Object:
    return dict(running.contract["endpoints"][request.param])


def test_all_endpoints_are_tested(running: Running) -> None:
    assert set(running.contract["endpoints"]) == {"web", "api", "auth", "auth-admin"}


def test_the_chain_ends_at_our_ca(endpoint: Object, context: ssl.SSLContext, running: Running) -> None:
    served, version = connect(context, endpoint)
    assert version in ("TLSv1.2", "TLSv1.3")
    authority = x509.load_pem_x509_certificate((running.state_dir / "tls" / "ca.crt").read_bytes())
    verifier = PolicyBuilder().store(Store([authority])).build_server_verifier(x509.DNSName(endpoint["host"]))
    chain = verifier.verify(x509.load_der_x509_certificate(served), [])
    assert chain[-1] == authority


@pytest.mark.parametrize("name", ["nobody.gpuaas.localhost", "localhost", ""])
def test_a_name_that_is_not_ours_gets_no_certificate(running: Running, name: str) -> None:
    anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anything.check_hostname = False
    anything.verify_mode = ssl.CERT_NONE
    address = ("127.0.0.1", running.contract["endpoints"]["web"]["port"])
    with socket.create_connection(address, SECONDS) as plain, pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        anything.wrap_socket(plain, server_hostname=name or None)


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


def test_no_secret_outside_its_own_namespace_is_readable_to_the_ingress(running: Running) -> None:
    everywhere = sorted(item["metadata"]["name"] for item in running.objects("namespaces"))
    asked = f"{running.kubectl_program} auth can-i --list --no-headers --as=system:serviceaccount:gpuaas-ingress:traefik"
    granted = {name: running.host.check_output(f"{asked} --namespace=%s", name) for name in everywhere}
    able = [name for name, rules in granted.items() if any(rule.split()[0] in ("secrets", "*", "*.*") for rule in rules.splitlines())]
    assert able == ["gpuaas-ingress"]


def ingress(name: str, namespace: str, host: str, path: str, backend: Object, labels: Object) -> Object:
    """An Ingress of our class."""
    annotations = {"traefik.ingress.kubernetes.io/router.tls.options": "web@file"}
    http = {"paths": [{"path": path, "pathType": "Prefix", "backend": {"service": backend}}]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations},
        "spec": {"ingressClassName": "gpuaas", "rules": [{"host": host, "http": http}]},
    }


@pytest.fixture
def made_by_others(running: Running) -> Iterator[None]:
    """An Ingress in another namespace, one beside ours, and then one that passes for ours, so that it shows when all were seen."""
    api, server = {"name": "api", "port": {"name": "http"}}, {"name": "kubernetes", "port": {"name": "https"}}
    host, ours = running.contract["endpoints"]["web"]["host"], {"app.kubernetes.io/managed-by": "gpuaas.parity"}
    made = [
        ingress("shadow", "default", host, "/shadow/elsewhere", server, ours),
        ingress("shadow", "gpuaas-ingress", host, "/shadow/beside", api, {}),
        ingress("control", "gpuaas-ingress", host, "/shadow/control", api, ours),
    ]
    with ExitStack() as undo:
        for one in made:
            arguments = f"ingress {one['metadata']['name']} --namespace={one['metadata']['namespace']}"
            undo.callback(running.host.check_output, f"{running.kubectl_program} delete {arguments}")
            running.host.check_output(f"echo %s | {running.kubectl_program} create --filename=-", json.dumps(one))
        yield


@pytest.mark.usefixtures("made_by_others")
def test_an_ingress_that_was_not_rendered_is_not_served(running: Running) -> None:
    web = running.contract["endpoints"]["web"]["url"]
    end = time.monotonic() + SECONDS
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=SECONDS) as client:

        def kind_of(path: str) -> str:
            return str(client.get(f"{web}{path}").headers.get("content-type"))

        own = kind_of("/no-such-page")
        while kind_of("/shadow/control") == own:
            assert time.monotonic() < end
        assert [kind_of(path) for path in ("/shadow/elsewhere", "/shadow/beside")] == [own, own]


def test_a_source_has_no_more_requests_in_flight_than_it_may(running: Running, context: ssl.SSLContext) -> None:
    limits = yaml.safe_load((running.state_dir / "rendered" / "ingress" / "routes.yml").read_text(encoding="utf-8"))
    most = limits["http"]["middlewares"]["in-flight-of-source"]["inFlightReq"]["amount"]
    endpoint = running.contract["endpoints"]["auth"]
    # Announces a body that does not come, so that it is worked on until it is given up.
    head = f"POST /realms/gpuaas/protocol/openid-connect/token HTTP/1.1\r\nHost: {endpoint['host']}:{endpoint['port']}\r\n"
    body = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\nConnection: close\r\n\r\n"
    with ExitStack() as stack:
        # Some more, because those before are counted when the ingress gets to them.
        for _number in range(most + 32):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", endpoint["port"]), SECONDS))
            last = stack.enter_context(context.wrap_socket(plain, server_hostname=endpoint["host"]))
            last.sendall(f"{head}{body}".encode())
        assert last.recv(64).startswith(b"HTTP/1.1 429 ")


def test_who_sends_slowly_holds_up_nobody_and_is_ended(running: Running) -> None:
    bound = running.contract["services"]["traefik"]["settings"]["TRAEFIK_ENTRYPOINTS_WEBSECURE_TRANSPORT_RESPONDINGTIMEOUTS_READTIMEOUT"]
    seconds = float(bound.removesuffix("s"))
    with slow_bodies.crowd(running.contract, running.state_dir / "tls" / "ca.crt") as (bodies, one):
        # Before the ingress gives them up.
        assert bodies.served_in(seconds / 2) == 401
        assert slow_bodies.lasts(one, 3 * seconds) < 2 * seconds


def test_the_ca_can_vouch_for_our_domain_and_components_own_names_only(running: Running) -> None:
    authority = x509.load_pem_x509_certificate((running.state_dir / "tls" / "ca.crt").read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    certificates = [each for service in running.contract["services"].values() for each in service.get("certificates", {}).values()]
    names = sorted(name for each in certificates for name in each.get("names", []))
    assert [str(name.value) for name in constraints.value.permitted_subtrees or []] == [running.contract["domain"], *names]


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
    token_url = f"{running.contract['endpoints']['auth-admin']['url']}/realms/master/protocol/openid-connect/token"
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=SECONDS) as client:
        answer = client.post(token_url, data={"grant_type": "client_credentials"}, auth=(client_id, secret))
    assert answer.status_code == 401, answer.text
