"""What an ingress must refuse over TLS: one that does, and each way not to."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.tls_strict import TlsStrict
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import HOSTS, contract
from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Asked, Authority, Reply, serve

HSTS = "max-age=31536000; includeSubDomains"
Answer = Callable[[Asked], Reply]


def answer(asked: Asked, hsts: str = HSTS) -> Reply:
    if asked.host.partition(":")[0] != asked.sni:
        # Only where a route of the other host takes the path is there anything to be misdirected.
        return Reply(421 if asked.path == "/health" else 404)
    return Reply(headers={"Strict-Transport-Security": hsts})


def modern(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM")


@pytest.fixture
def look(make_context: MakeContext, authority: Authority) -> Callable[..., Observation]:
    def looking(answering: Answer = answer, settle: Callable[[ssl.SSLContext], None] = modern, strict: bool = True) -> Observation:
        contexts = {host: authority.context(host) for host in HOSTS.values()}
        for context in contexts.values():
            settle(context)
        with serve(answering, contexts, strict=strict) as server:
            return TlsStrict().run(make_context(contract=contract(server.port)))

    return looking


def test_an_ingress_that_refuses_holds(look: Callable[..., Observation]) -> None:
    found = look()
    assert found.ok, found.seen


def test_a_certificate_for_a_name_that_is_nobodys(look: Callable[..., Observation]) -> None:
    found = look(strict=False)
    assert (found.reason, "nobody.gpuaas.localhost" in found.seen) == ("TLS_LAX", True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls(look: Callable[..., Observation]) -> None:
    def old(context: ssl.SSLContext) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1

    found = look(settle=old)
    assert (found.reason, "older than 1.2" in found.seen) == ("TLS_LAX", True)


def test_a_suite_without_aead(look: Callable[..., Observation]) -> None:
    def with_cbc(context: ssl.SSLContext) -> None:
        context.set_ciphers("ECDHE:@SECLEVEL=0")

    found = look(settle=with_cbc)
    assert (found.reason, "without AEAD: TLSv1.2 ECDHE-" in found.seen) == ("TLS_LAX", True)


def test_a_host_that_is_not_the_sni(look: Callable[..., Observation]) -> None:
    found = look(lambda asked: Reply(headers={"Strict-Transport-Security": HSTS}))
    assert (found.reason, "answered 200, not 421" in found.seen) == ("TLS_LAX", True)


@pytest.mark.parametrize("said", ["", "includeSubDomains", "max-age=31535999; includeSubDomains", "max-age=0"])
def test_hsts_for_less_than_a_year(look: Callable[..., Observation], said: str) -> None:
    found = look(lambda asked: answer(asked, said))
    assert (found.reason, "Strict-Transport-Security" in found.seen) == ("TLS_LAX", True)


def test_nobody_listens(make_context: MakeContext) -> None:
    assert TlsStrict().run(make_context()).reason == "HTTP_UNREACHABLE"
