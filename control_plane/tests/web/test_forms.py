"""Forms: with their token, from here alone, and once, also when the answer is lost."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import psycopg
import pytest

from support.browser import Browser, Forms
from support.courier import Courier


@pytest.mark.parametrize("action", ["/instances", "/auth/logout", "/instances/x/delete"])
@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_forms_need_their_token(browser: Browser, api: httpx.Client, action: str, token: str | None) -> None:
    browser.get("/auth/login")
    form = {"name": "a", "gpu_type": "H100", "gpu_count": "1"} | ({} if token is None else {"csrf_token": token})
    response = browser.request("POST", action, form)
    assert response.status_code == 403
    assert "user" in Forms(browser.get("/").text).test_ids
    assert "instance-row" not in Forms(browser.get("/").text).test_ids


def test_forms_from_other_sites_are_refused(browser: Browser, api: httpx.Client) -> None:
    page = browser.get("/auth/login")
    form = Forms(page.text).forms["/auth/logout"]
    for origin in ("https://evil.example", "null"):
        assert browser.request("POST", "/auth/logout", form, Origin=origin).status_code == 403
    assert browser.request("GET", "/auth/logout").status_code == 405


def test_a_form_sent_twice_asks_once(browser: Browser, api: httpx.Client, database: psycopg.Connection) -> None:
    page = browser.get("/auth/login")
    for _round in range(2):
        browser.submit(page, "/instances", name="once", gpu_type="H100", gpu_count="1")
    assert database.execute("SELECT count(*) FROM instances").fetchone() == (1,)


@pytest.mark.parametrize(("loses", "stored"), [("request", 0), ("answer", 1)])
def test_a_lost_answer_shows_the_form_with_its_key(
    start_web: Callable[..., str],
    courier: tuple[Courier, str],
    open_browser: Callable[[str], Browser],
    database: psycopg.Connection,
    loses: str,
    stored: int,
) -> None:
    between, url = courier
    browser = open_browser(start_web(GPUAAS_API_URL=url))
    page = browser.get("/auth/login")
    sent = {"name": "once", "gpu_type": "A100", "gpu_count": "3"}
    key = Forms(page.text).forms["/instances"]["idempotency_key"]
    between.loses = loses
    page = browser.submit(page, "/instances", **sent)
    between.loses = ""
    assert database.execute("SELECT count(*) FROM instances").fetchone() == (stored,)
    assert page.status_code == 503
    assert page.headers["Retry-After"]
    form = Forms(page.text).forms["/instances"]
    assert (form["idempotency_key"], form["name"], form["project"]) == (key, "once", "alpha")
    assert "faults" in Forms(page.text).test_ids
    page = browser.submit(page, "/instances", **sent)
    assert "Instance once is requested." in page.text
    assert database.execute("SELECT name, gpu_type, gpu_count FROM instances").fetchall() == [("once", "A100", 3)]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_api_that_cannot_now_leaves_the_form_with_its_key(
    start_web: Callable[..., str],
    courier: tuple[Courier, str],
    open_browser: Callable[[str], Browser],
    database: psycopg.Connection,
    status: int,
) -> None:
    between, url = courier
    browser = open_browser(start_web(GPUAAS_API_URL=url))
    page = browser.get("/auth/login")
    key = Forms(page.text).forms["/instances"]["idempotency_key"]
    between.answers = status
    page = browser.submit(page, "/instances", name="once", gpu_type="A100", gpu_count="3")
    between.answers = 0
    assert (page.status_code, "Not now." in page.text) == (503, True)
    assert Forms(page.text).forms["/instances"]["idempotency_key"] == key
    page = browser.submit(page, "/instances", gpu_type="A100", gpu_count="3")
    assert "Instance once is requested." in page.text


def test_an_instance_that_is_gone_already_is_as_good_as_deleted(browser: Browser, api: httpx.Client) -> None:
    page = browser.get("/auth/login")
    page = browser.submit(page, "/instances", name="twice", gpu_type="H100", gpu_count="1")
    (action,) = [action for action in Forms(page.text).forms if action.endswith("/delete")]
    deleted, again = (browser.request("POST", action, Forms(page.text).forms[action]) for _round in range(2))
    # RFC 9110, 15.4.4: whatever the method was, what follows is read.
    assert (deleted.status_code, again.status_code) == (303, 303)
    assert again.headers["Location"] == "/?project=alpha"
    assert "The instance was gone already." in browser.get("/").text


def test_a_form_that_was_changed_after_a_lost_answer_has_a_new_key(browser: Browser, api: httpx.Client) -> None:
    page = browser.get("/auth/login")
    key = Forms(page.text).forms["/instances"]["idempotency_key"]
    browser.submit(page, "/instances", name="a", gpu_type="H100", gpu_count="1")
    page = browser.submit(page, "/instances", name="b", gpu_type="H100", gpu_count="1")
    assert page.status_code == 400
    assert Forms(page.text).forms["/instances"]["idempotency_key"] != key


@pytest.mark.parametrize("count", ["many", "two", "", "-1", "²"])
def test_faulty_form_is_shown_again(browser: Browser, api: httpx.Client, count: str) -> None:
    page = browser.get("/auth/login")
    page = browser.submit(page, "/instances", name="Not <Valid>", gpu_type="TPU", gpu_count=count)
    assert page.status_code == 400
    assert "faults" in Forms(page.text).test_ids
    assert Forms(page.text).forms["/instances"]["name"] == "Not <Valid>"
    assert "<Valid>" not in page.text
