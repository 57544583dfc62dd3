"""What the console shows, to whom, and what it says when something is away."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import psycopg
import pytest
import redis

from gpuaas.settings import ConfigurationError, WebSettings, read_settings
from support.browser import Browser, Forms
from support.issuer import Issuer
from support.ports import free_port
from support.processes import wait_for

type Probe = Callable[[str, str], httpx.Response]


def test_landing_page(browser: Browser) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    assert "login" in Forms(page.text).test_ids
    assert browser.cookies == {}
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert " style=" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    for path in ("/static/app.css", "/static/icon.svg"):
        assert browser.get(path).status_code == 200


def delete_action(page: httpx.Response) -> str:
    (action,) = [action for action in Forms(page.text).forms if action.endswith("/delete")]
    return action


def test_the_whole_way(browser: Browser, api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    page = browser.get("/auth/login")
    assert page.status_code == 200
    assert "alice" in page.text
    assert {"user", "logout", "create-form"} <= set(Forms(page.text).test_ids)
    page = browser.submit(page, "/instances", name="training-1", gpu_type="A100", gpu_count="2")
    assert "Instance training-1 is requested." in page.text
    assert "2 × A100" in page.text
    assert "is requested" not in browser.get("/").text
    page = browser.submit(page, delete_action(page))
    assert "The instance is deleted." in page.text
    assert "instance-row" not in Forms(page.text).test_ids
    events = database.execute("SELECT event_type FROM outbox ORDER BY id").fetchall()
    assert events == [("instance.requested",), ("instance.deleted",)]
    page = browser.submit(page, "/auth/logout")
    assert "login" in Forms(page.text).test_ids
    (logout,) = issuer.logouts
    assert list(logout) == ["refresh_token"]
    assert browser.cookies == {}


def test_what_an_instance_runs_besides(browser: Browser, api: httpx.Client, database: psycopg.Connection) -> None:
    sent = {"name": "training-1", "gpu_type": "A100", "gpu_count": "2"}
    browser.submit(browser.get("/auth/login"), "/instances", **sent, workload="notebook")
    [(instance,)] = database.execute("SELECT id FROM instances").fetchall()
    assert "Its notebook is deployed while the instance runs." in browser.get(f"/instances/{instance}").text
    database.execute("UPDATE instances SET workload_state = 'unhealthy'")
    assert "Its notebook does not answer." in browser.get(f"/instances/{instance}").text
    page = browser.submit(browser.get("/"), "/instances", **sent | {"name": "training-2"})
    assert "Instance training-2 is requested." in page.text
    assert database.execute("SELECT count(*) FROM instances WHERE workload IS NULL").fetchone() == (1,)
    page = browser.submit(page, "/instances", **sent, workload="game")
    assert "Workload: none, or one of notebook, inference." in page.text


def test_why_an_instance_failed(browser: Browser, api: httpx.Client, database: psycopg.Connection) -> None:
    page = browser.submit(browser.get("/auth/login"), "/instances", name="training-1", gpu_type="A100", gpu_count="2")
    assert "failed" not in page.text
    database.execute("UPDATE instances SET state = 'failed', reason = 'no_capacity'")
    wait_for(lambda: "failed" in browser.get("/").text, "a page that is not from the cache")
    assert "not so many GPUs of this type are free" in browser.get("/").text
    database.execute("UPDATE instances SET reason = 'of_tomorrow'")
    wait_for(lambda: "the GPUs could not be prepared" in browser.get("/").text, "a page that is not from the cache")


def test_several_projects(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.user["groups"] = ["/projects/alpha", "/projects/beta"]
    browser.get("/auth/login")
    page = browser.get("/?project=beta")
    page = browser.submit(page, "/instances", name="in-beta", gpu_type="H100", gpu_count="1")
    assert "in-beta" in page.text
    assert "in-beta" not in browser.get("/?project=alpha").text
    assert browser.get("/?project=not-mine").status_code == 200


def test_a_viewer_sees_no_forms_and_may_not_use_them(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.user = {"roles": ["viewer"], "groups": ["/projects/alpha"], "preferred_username": "bob"}
    page = browser.get("/auth/login")
    assert "create-form" not in Forms(page.text).test_ids
    form = Forms(page.text).forms["/auth/logout"] | {"name": "a", "gpu_type": "H100", "gpu_count": "1"}
    form["idempotency_key"] = "00000000-0000-4000-8000-000000000000"
    assert browser.request("POST", "/instances", form).status_code == 403


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ({"roles": ["operator"], "groups": []}, "no project"),
        ({"roles": [], "groups": ["/projects/a"]}, "neither the role"),
    ],
)
def test_users_without_rights_are_told(
    browser: Browser, api: httpx.Client, issuer: Issuer, user: dict[str, list[str]], says: str
) -> None:
    issuer.user = {**user, "preferred_username": "eve"}
    page = browser.get("/auth/login")
    assert (page.status_code, says in page.text) == (200, True)


def test_api_away(browser: Browser, redis_client: redis.Redis) -> None:
    page = browser.get("/auth/login")
    assert page.status_code == 503
    assert "The API does not answer" in page.text


def test_session_store_away(
    start_web: Callable[..., str], open_browser: Callable[[str], Browser], probe: Probe
) -> None:
    browser = open_browser(start_web(GPUAAS_REDIS_PORT=str(free_port())))
    assert probe(browser.url, "ready").status_code == 503
    assert probe(browser.url, "live").status_code == 200
    page = browser.get("/auth/login")
    assert (page.status_code, "session store" in page.text) == (503, True)


def test_identity_provider_away(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.down = True
    page = browser.get("/auth/login")
    assert page.status_code == 503
    assert "identity provider does not answer" in page.text
    assert page.headers["Retry-After"]
    issuer.down = False
    wait_for(lambda: browser.get("/auth/login").status_code == 200, "the provider", 5)


def test_unknown_pages(browser: Browser) -> None:
    page = browser.get("/nowhere")
    assert (page.status_code, "no such page" in page.text) == (404, True)


def test_public_url_has_no_slash(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="GPUAAS_WEB_URL"):
        read_settings(WebSettings, {**environment, "GPUAAS_WEB_URL": "https://web.gpuaas.localhost/"})
