"""The types that speak to the platform, against one that answers, and against each of its faults."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import CheckType, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import issuer_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.cached_read import CachedRead
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.http import Http
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.idempotent_write import IdempotentWrite
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.oidc_discovery import OidcDiscovery
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.oidc_login import OidcLogin
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.tcp import Tcp
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.tls import Tls
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.token_refused import TokenRefused
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import Clock, MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import Platform
from ansible_collections.gpuaas.parity.tests.unit.kube.objects import pod, workload
from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Authority, Reply, serve


def look(check: CheckType, context: Any) -> Observation:
    """One look, what it raises being its failure, as the engine has it."""
    try:
        return check.run(context)
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
    assert "days left" in found.seen


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


@pytest.mark.parametrize(("age", "ok"), [(75, True), (77, False)])
def test_tls_warns_from_when_up_renews(platform: Platform, make_context: MakeContext, authority: Authority, age: int, ok: bool) -> None:
    host = "web.gpuaas.localhost"
    with serve(platform.answer, {host: authority.context(host, datetime.timedelta(days=age))}) as server:
        found = Tls(f"https://{host}:{server.port}").run(make_context())
    assert found.ok is ok
    assert ok or (found.reason, "ends in" in found.seen) == ("TLS_EXPIRING", True)


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


@pytest.mark.parametrize("url", ["http://web.gpuaas.localhost", "https://"])
def test_tls_wants_an_https_url(url: str) -> None:
    with pytest.raises(ValueError, match="https URL"):
        Tls(url)


def test_tls_goes_nowhere_but_where_the_platform_is(make_context: MakeContext) -> None:
    found = Tls("https://example.com").run(make_context())
    assert (found.reason, found.seen) == ("TLS_INVALID", "example.com:443: example.com is not a loopback name or address")


def test_http_holds(platform: Platform, make_context: MakeContext) -> None:
    api = Http(f"{platform.url('api')}/health", json={"status": "ready", "numbers[1]": 2}, headers={"content-type": "json"})
    web = Http(f"{platform.url('web')}/x", body="live$", headers={"X-Live": "^yes$"}, status=[200, 204])
    for check in (api, web):
        found = check.run(make_context())
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


def test_the_issuer_is_itself(platform: Platform, make_context: MakeContext) -> None:
    found = look(OidcDiscovery("keeper", platform.issuer), make_context(port=platform.port))
    assert (found.ok, found.seen) == (True, f"on this machine the issuer is {platform.issuer}")


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
    assert look(OidcDiscovery("keeper", platform.issuer), make_context()).reason == reason


@pytest.mark.parametrize(
    ("printed", "reason", "seen"),
    [
        (lambda issuer: Completed(document(issuer), "", 0), "", "for api the issuer is"),
        (
            lambda _issuer: Completed(document("http://keeper:8080/realms/gpuaas"), "", 0),
            "ISSUER_MISMATCH",
            "'http://keeper:8080/realms/gpuaas'",
        ),
        (
            lambda _issuer: Completed("", "CERTIFICATE_VERIFY_FAILED", 1),
            "EXEC_FAILED",
            "ended with 1 and printed no discovery document: C",
        ),
        (lambda _issuer: Completed("<html>", "", 0), "EXEC_FAILED", "printed no discovery document: <html>"),
    ],
)
def test_the_issuer_as_a_component_meets_it(make_context: MakeContext, printed: Callable[[str], Completed], reason: str, seen: str) -> None:
    """From where it runs, with its own configuration and its own trust; the host's path is not asked."""
    issuer = "https://auth.gpuaas.localhost:1/realms/gpuaas"

    def in_pod(namespace: str, name: str, container: str, command: Sequence[str], timeout: float) -> Completed:
        assert (namespace, name, container, command) == ("gpuaas-control-plane", "api-1", "api", ["fetch", "it"])
        return printed(issuer)

    objects = {"deployments": [workload("api", "gpuaas-control-plane")], "pods": [pod("api-1", "gpuaas-control-plane", "api")]}
    found = look(OidcDiscovery("api", issuer, ["fetch", "it"]), make_context(objects, in_pod=in_pod))
    assert (found.ok, found.reason) == (not reason, reason)
    assert seen in found.seen


def document(issuer: str) -> str:
    ends = ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint")
    return json.dumps({"issuer": issuer, **{end: f"{issuer}/{end}" for end in ends}})


def _login(platform: Platform, **changes: Any) -> OidcLogin:
    given = {
        "web": platform.url("web"),
        "login_path": "/auth/login",
        "api": f"{platform.url('api')}/v1/instances",
        "audience": "gpuaas-api",
        "user": "alice",
        "client": "gpuaas-web",
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


@pytest.mark.parametrize(
    ("client", "seen"),
    [("gpuaas-other", "gpuaas-other among the realm's clients"), ("gpuaas-probe", "redirect URI of the client gpuaas-probe")],
)
def test_a_client_through_which_nobody_logs_in(platform: Platform, make_context: MakeContext, client: str, seen: str) -> None:
    found = look(_login(platform, client=client), make_context(port=platform.port))
    assert found.reason == "CONTRACT_NOT_RENDERED"
    assert seen in found.seen


def test_the_issuer_is_below_the_url_of_the_realm(make_context: MakeContext) -> None:
    context = make_context()
    assert issuer_of(context) == "https://auth.gpuaas.localhost:1/realms/gpuaas"
    del context.realm["url"]
    with pytest.raises(ParityError, match="no realm with a URL"):
        issuer_of(context)


# -- tokens that must be refused ---------------------------------------------


def _refused(platform: Platform, case: str, **changes: Any) -> TokenRefused:
    client = {"audience": "gpuaas-probe", "expired": "gpuaas-probe-short", "missing": ""}[case]
    url = f"{platform.url('api')}/v1/instances"
    given = {"client": client, "audience": "gpuaas-api", "code": f"token_{case}"}
    return TokenRefused(**{"url": url, "case": case, **given, **changes})


@pytest.mark.parametrize("case", ["missing", "audience", "expired"])
def test_bad_tokens_are_refused_for_the_right_reason(platform: Platform, make_context: MakeContext, case: str) -> None:
    found = look(_refused(platform, case), make_context(port=platform.port))
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
    found = look(_refused(platform, case), make_context(port=platform.port))
    assert found.reason == "TOKEN_NOT_REFUSED"
    assert seen in found.seen


def test_the_expired_token_is_awaited_on_the_monotonic_clock(platform: Platform, make_context: MakeContext, clock: Clock) -> None:
    platform.short_tokens_live = 8
    begun = clock()
    assert look(_refused(platform, "expired"), make_context(port=platform.port)).ok
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


def _write(platform: Platform) -> IdempotentWrite:
    url = f"{platform.url('api')}/v1/instances"
    return IdempotentWrite(url, "alice", "gpuaas-web", unique="name", document={"gpu_type": "H100", "gpu_count": 1})


def _read(platform: Platform, **changes: Any) -> CachedRead:
    given = {"url": f"{platform.url('api')}/v1/instances", "user": "alice", "client": "gpuaas-web", "vary": "limit", "values": [51, 199]}
    return CachedRead(**{**given, **changes})


def test_what_is_written_is_read(platform: Platform, make_context: MakeContext) -> None:
    found = look(_write(platform), make_context(port=platform.port))
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
def test_a_write_that_does_not_come_back(platform: Platform, make_context: MakeContext, fault: str, seen: str) -> None:
    platform.fault = fault
    found = look(_write(platform), make_context(port=platform.port))
    assert found.reason == "STORE_ROUNDTRIP_FAILED"
    assert seen in found.seen


def test_what_a_failed_round_trip_made_is_deleted(platform: Platform, make_context: MakeContext) -> None:
    platform.fault = "forgets"
    look(_write(platform), make_context(port=platform.port))
    assert not platform.instances


def test_a_read_misses_then_hits(platform: Platform, make_context: MakeContext) -> None:
    found = look(_read(platform), make_context(port=platform.port))
    assert found.ok, found.seen


def test_a_read_waits_for_an_earlier_hit_to_end(platform: Platform, make_context: MakeContext, clock: Clock) -> None:
    platform.cached = {str(number) for number in range(300)}

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        platform.cached.clear()

    assert look(_read(platform), make_context(port=platform.port, sleep=sleep)).ok


@pytest.mark.parametrize(("fault", "seen"), [("always hit", "never a hit after a miss"), ("no cache header", "X-Cache absent")])
def test_a_read_that_never_comes_from_the_cache(platform: Platform, make_context: MakeContext, fault: str, seen: str) -> None:
    platform.fault = fault
    found = look(_read(platform), make_context(port=platform.port))
    assert found.reason == "STORE_ROUNDTRIP_FAILED"
    assert seen in found.seen


def test_one_login_serves_all_checks(platform: Platform, make_context: MakeContext) -> None:
    context = make_context(port=platform.port)
    for check in (_write(platform), _read(platform)):
        assert look(check, context).ok
    assert platform.logins == 1


@pytest.mark.parametrize("values", [[], [5], [5, 5], [9, 5], [1, 2, 3]])
def test_a_cached_read_varies_between_two_numbers(platform: Platform, values: list[int]) -> None:
    with pytest.raises(ValueError, match="a first and a greater last number"):
        _read(platform, values=values)
