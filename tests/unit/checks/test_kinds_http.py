"""The kinds that speak to the platform, against one that answers, and against each of its faults."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Kind, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.http import Http
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.oidc_discovery import OidcDiscovery
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.oidc_login import OidcLogin
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.store_postgres import StorePostgres
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.store_redis import StoreRedis
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.tcp import Tcp
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.tls import Tls
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.token_refused import TokenRefused
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import Clock, MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import Platform
from ansible_collections.gpuaas.parity.tests.unit.kube.objects import named, pod
from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Authority, Reply, serve


def look(kind: Kind, context: Any) -> Observation:
    """One look, what it raises being its failure, as the engine has it."""
    try:
        return kind.run(context)
    except ParityError as error:
        return Observation(False, error.seen, error.reason)


# -- tcp, tls, http ---------------------------------------------------------


def test_tcp(platform: Platform, make_context: MakeContext) -> None:
    assert Tcp("web.gpuaas.localhost", platform.port).run(make_context()).ok
    found = Tcp("127.0.0.1", 1).run(make_context())
    assert (found.ok, found.reason) == (False, "PORT_CLOSED")
    with pytest.raises(ValueError, match="loopback"):
        Tcp("example.com", 443)


def test_tls_is_ours_and_lasts(platform: Platform, make_context: MakeContext) -> None:
    found = Tls(platform.url("web")).run(make_context())
    assert found.ok, found.seen
    assert "signed by our CA" in found.seen


def test_tls_of_another_name(platform: Platform, make_context: MakeContext) -> None:
    found = Tls(f"https://other.gpuaas.localhost:{platform.port}").run(make_context())
    assert found.reason == "TLS_INVALID"
    assert "Hostname mismatch" in found.seen


def test_tls_of_another_ca(platform: Platform, make_context: MakeContext, state_dir: Path, tmp_path: Path) -> None:
    (state_dir / "tls" / "ca.crt").write_bytes(Authority(tmp_path, "gpuaas.localhost").ca_file.read_bytes())
    found = Tls(platform.url("web")).run(make_context())
    assert found.reason == "TLS_INVALID"


def test_tls_that_is_about_to_end(platform: Platform, make_context: MakeContext) -> None:
    found = Tls(platform.url("web"), days=100_000).run(make_context())
    assert found.reason == "TLS_EXPIRING"
    assert "ends in" in found.seen


def test_tls_that_has_ended(authority: Authority, make_context: MakeContext) -> None:
    host = "old.gpuaas.localhost"
    with serve(lambda _: Reply(), {host: authority.context(host, datetime.timedelta(days=4000))}) as server:
        found = Tls(f"https://{host}:{server.port}").run(make_context())
    assert found.reason == "TLS_INVALID"
    assert "expired" in found.seen


def test_tls_where_none_is_spoken(make_context: MakeContext) -> None:
    with serve(lambda _: Reply()) as server:
        found = Tls(f"https://web.gpuaas.localhost:{server.port}").run(make_context())
    assert found.reason == "TLS_INVALID"
    assert Tls("https://web.gpuaas.localhost:1").run(make_context()).reason == "TLS_INVALID"


def test_tls_without_a_ca(make_context: MakeContext, state_dir: Path) -> None:
    context = make_context()
    (state_dir / "tls" / "ca.crt").unlink()
    assert Tls("https://web.gpuaas.localhost:1").run(context).reason == "TLS_INVALID"


@pytest.mark.parametrize("url", ["http://web.gpuaas.localhost", "https://example.com", "https://"])
def test_tls_wants_an_https_url_on_loopback(url: str) -> None:
    with pytest.raises(ValueError, match=r"https URL|loopback"):
        Tls(url)


def test_http_holds(platform: Platform, make_context: MakeContext) -> None:
    api = Http(f"{platform.url('api')}/health", json={"status": "ready", "numbers[1]": 2}, headers={"content-type": "json"})
    web = Http(f"{platform.url('web')}/x", body="live$", headers={"X-Live": "^yes$"}, status=[200, 204])
    for kind in (api, web):
        found = kind.run(make_context())
        assert found.ok, found.seen


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"status": 204}, "200, not 204"),
        ({"status": [201, 204]}, "not 201 or 204"),
        ({"headers": {"X-None": "a"}}, "header X-None is None"),
        ({"headers": {"X-Live": "no"}}, "header X-Live is 'yes'"),
        ({"json": {"a": 1}}, "the body is not JSON"),
        ({"body": "dead"}, "the body is not like 'dead'"),
    ],
)
def test_http_says_what_is_wrong(platform: Platform, make_context: MakeContext, changes: dict[str, Any], seen: str) -> None:
    found = Http(f"{platform.url('web')}/x", **changes).run(make_context())
    assert found.reason == "HTTP_UNEXPECTED"
    assert seen in found.seen


def test_http_json_of_another_value(platform: Platform, make_context: MakeContext) -> None:
    found = Http(f"{platform.url('api')}/health", json={"status": "live"}).run(make_context())
    assert "status is 'ready', not 'live'" in found.seen


def test_http_follows_only_when_asked(platform: Platform, make_context: MakeContext) -> None:
    url = f"{platform.url('web')}/auth/callback"
    assert Http(url, status=303).run(make_context()).ok
    assert Http(url, follow=True).run(make_context()).ok


def test_http_nobody_answers(make_context: MakeContext) -> None:
    assert Http("https://web.gpuaas.localhost:1").run(make_context()).reason == "HTTP_UNREACHABLE"


@pytest.mark.parametrize("changes", [{"body": "("}, {"headers": {"A": "("}}, {"json": {"[": 1}}])
def test_http_refuses_expressions_that_are_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Http("https://web.gpuaas.localhost", **changes)


# -- OpenID Connect ---------------------------------------------------------


def test_the_issuer_is_the_same_everywhere(platform: Platform, make_context: MakeContext) -> None:
    found = look(OidcDiscovery(platform.issuer, ["api"]), make_context(_told(platform.issuer), port=platform.port))
    assert found.ok, found.seen


def _told(issuer: str) -> dict[str, list[dict[str, Any]]]:
    item = pod("api-1", "gpuaas-control-plane", "api")
    item["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "api-config-abc"}}]
    return {
        "pods": [item],
        "configmaps": [named("api-config-abc", "gpuaas-control-plane", data={"GPUAAS_OIDC_ISSUER": issuer})],
    }


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("other issuer", "ISSUER_MISMATCH"),
        ("inside names", "ISSUER_MISMATCH"),
        ("no discovery", "HTTP_UNEXPECTED"),
    ],
)
def test_an_issuer_that_is_not_itself(platform: Platform, make_context: MakeContext, fault: str, reason: str) -> None:
    platform.fault = fault
    assert look(OidcDiscovery(platform.issuer), make_context()).reason == reason


def test_pods_that_are_told_another_issuer(platform: Platform, make_context: MakeContext) -> None:
    context = make_context(_told("http://keycloak:8080/realms/gpuaas"), port=platform.port)
    found = look(OidcDiscovery(platform.issuer, ["api"]), context)
    assert found.reason == "ISSUER_MISMATCH"
    assert "http://keycloak:8080" in found.seen
    assert look(OidcDiscovery(platform.issuer, ["api"]), make_context(port=platform.port)).reason == "ISSUER_MISMATCH"


def _login(platform: Platform, **changes: Any) -> OidcLogin:
    given = {
        "web": platform.url("web"),
        "api": f"{platform.url('api')}/v1/instances",
        "audience": "gpuaas-api",
    }
    return OidcLogin(**{**given, **changes})


def test_a_real_login(platform: Platform, make_context: MakeContext) -> None:
    found = look(_login(platform), make_context(port=platform.port))
    assert found.ok, found.seen
    assert platform.logins == 2


@pytest.mark.parametrize(
    ("fault", "reason", "seen"),
    [
        ("endless redirect", "LOGIN_FAILED", "more than 12 redirects"),
        ("required action", "LOGIN_FAILED", "Update password"),
        ("nameless page", "LOGIN_FAILED", "does not show alice"),
        ("broken page", "LOGIN_FAILED", "500"),
        ("wrong state", "LOGIN_FAILED", "another state"),
        ("wrong response issuer", "ISSUER_MISMATCH", "https://elsewhere"),
        ("denied", "LOGIN_FAILED", "access_denied"),
        ("client refused", "LOGIN_FAILED", "invalid_client: bad secret"),
        ("wrong nonce", "LOGIN_FAILED", "another nonce"),
        ("wrong audience", "LOGIN_FAILED", "audience 'account'"),
        ("token of other issuer", "ISSUER_MISMATCH", "https://elsewhere"),
        ("forbidden", "LOGIN_FAILED", "403"),
    ],
)
def test_a_login_that_fails_says_where(platform: Platform, make_context: MakeContext, fault: str, reason: str, seen: str) -> None:
    platform.fault = fault
    found = look(_login(platform), make_context(port=platform.port))
    assert (found.ok, found.reason) == (False, reason), found.seen
    assert seen in found.seen


def test_a_wrong_password_is_told_with_the_page_and_without_the_password(platform: Platform, make_context: MakeContext) -> None:
    found = look(_login(platform, user="bob"), make_context(port=platform.port))
    assert found.reason == "LOGIN_FAILED"
    assert "refused bob: Sign in: Invalid username or password." in found.seen
    assert "not-bobs" not in found.seen


@pytest.mark.parametrize("user", ["mallory", "nobody"])
def test_a_user_whose_password_is_not_known(platform: Platform, make_context: MakeContext, user: str) -> None:
    found = look(_login(platform, user=user), make_context(port=platform.port))
    assert found.reason == "CONTRACT_NOT_RENDERED"
    assert user in found.seen


def test_nobody_to_log_in_at(make_context: MakeContext) -> None:
    platform = Platform()
    platform.port = 1
    assert look(_login(platform), make_context()).reason == "LOGIN_FAILED"


# -- tokens that must be refused ---------------------------------------------


def _refused(platform: Platform, case: str, **changes: Any) -> TokenRefused:
    client = {"audience": "gpuaas-probe", "expired": "gpuaas-probe-short", "missing": ""}[case]
    url = f"{platform.url('api')}/v1/instances"
    given = {"issuer": platform.issuer, "client_id": client, "audience": "gpuaas-api", "code": f"token_{case}"}
    return TokenRefused(**{"url": url, "case": case, **given, **changes})


@pytest.mark.parametrize("case", ["missing", "audience", "expired"])
def test_bad_tokens_are_refused_for_the_right_reason(platform: Platform, make_context: MakeContext, case: str) -> None:
    found = look(_refused(platform, case), make_context())
    assert found.ok, found.seen
    assert found.seen == f"401 token_{case}"


@pytest.mark.parametrize(
    ("case", "fault", "seen"),
    [
        ("missing", "open door", "answers 200, not 401"),
        ("missing", "no challenge", "no WWW-Authenticate"),
        ("missing", "no problem document", "refused as None"),
        ("audience", "any audience", "answers 200, not 401"),
        ("audience", "swapped audiences", "cannot test audience"),
        ("expired", "swapped audiences", "cannot test expired"),
        ("expired", "refused too early", "refused as 'token_signature'"),
        ("expired", "lives for ever", "accepts a token of 1 s still after 15 s"),
    ],
)
def test_what_is_not_refused_rightly(platform: Platform, make_context: MakeContext, case: str, fault: str, seen: str) -> None:
    platform.fault = fault
    found = look(_refused(platform, case), make_context())
    assert found.reason == "TOKEN_NOT_REFUSED"
    assert seen in found.seen


def test_the_expired_token_is_awaited_on_the_monotonic_clock(platform: Platform, make_context: MakeContext, clock: Clock) -> None:
    platform.short_tokens_live = 8
    begun = clock()
    assert look(_refused(platform, "expired"), make_context()).ok
    assert clock() - begun == pytest.approx(2.0)


def test_token_refused_when_nobody_answers(make_context: MakeContext) -> None:
    platform = Platform()
    platform.port = 1
    assert look(_refused(platform, "missing"), make_context()).reason == "HTTP_UNREACHABLE"


@pytest.mark.parametrize("changes", [{"case": "odd"}, {"case": "audience"}])
def test_token_refused_wants_what_its_case_needs(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="case"):
        TokenRefused(**{"url": "https://api.gpuaas.localhost", "code": "x", **changes})


# -- stores -------------------------------------------------------------------


def _stored(kind: type[StorePostgres] | type[StoreRedis], platform: Platform) -> Kind:
    return kind(url=f"{platform.url('api')}/v1/instances")


def test_postgres_is_written_and_read(platform: Platform, make_context: MakeContext) -> None:
    found = look(_stored(StorePostgres, platform), make_context(port=platform.port))
    assert found.ok, found.seen
    assert not platform.instances


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("cannot write", "POST /v1/instances: 503"),
        ("no id", "no id"),
        ("not idempotent", "not recognised"),
        ("silent replay", "not recognised"),
        ("forgets", "not what was written"),
        ("cannot delete", "DELETE"),
    ],
)
def test_postgres_faults(platform: Platform, make_context: MakeContext, fault: str, seen: str) -> None:
    platform.fault = fault
    found = look(_stored(StorePostgres, platform), make_context(port=platform.port))
    assert found.reason == "STORE_ROUNDTRIP_FAILED"
    assert seen in found.seen


def test_what_a_failed_round_trip_made_is_deleted(platform: Platform, make_context: MakeContext) -> None:
    platform.fault = "forgets"
    look(_stored(StorePostgres, platform), make_context(port=platform.port))
    assert not platform.instances


def test_redis_misses_then_hits(platform: Platform, make_context: MakeContext) -> None:
    found = look(_stored(StoreRedis, platform), make_context(port=platform.port))
    assert found.ok, found.seen


def test_redis_waits_for_an_earlier_hit_to_end(platform: Platform, make_context: MakeContext, clock: Clock) -> None:
    platform.cached = {str(number) for number in range(300)}

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        platform.cached.clear()

    assert look(_stored(StoreRedis, platform), make_context(port=platform.port, sleep=sleep)).ok


@pytest.mark.parametrize(("fault", "seen"), [("always hit", "never a hit after a miss"), ("no cache header", "X-Cache absent")])
def test_redis_faults(platform: Platform, make_context: MakeContext, fault: str, seen: str) -> None:
    platform.fault = fault
    found = look(_stored(StoreRedis, platform), make_context(port=platform.port))
    assert found.reason == "STORE_ROUNDTRIP_FAILED"
    assert seen in found.seen


def test_one_login_serves_all_checks(platform: Platform, make_context: MakeContext) -> None:
    context = make_context(port=platform.port)
    for kind in (StorePostgres, StoreRedis):
        assert look(_stored(kind, platform), context).ok
    assert platform.logins == 1
