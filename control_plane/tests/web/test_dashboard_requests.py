"""What the dashboard's script asks for and sends, as the console takes it: from its own pages, for the visitor's own projects."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from gpuaas.encryption.environment import environment_of
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.member import MemberKey
from support.browser import Browser
from support.issuer import Issuer


@pytest.fixture
def token(browser: Browser, api: httpx.Client) -> str:
    """Of a page of somebody who is logged in."""
    browser.get("/auth/login")
    found = re.search(r'data-csrf="([^"]+)"', browser.get("/dashboard").text)
    assert found
    return found[1]


def sent(browser: Browser, path: str, body: object, token: str, **headers: str) -> httpx.Response:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    given = {"Cookie": cookies, "Origin": browser.url, "X-CSRF-Token": token, **headers}
    return browser.http.post(f"{browser.url}{path}", json=body, headers=given)


@pytest.fixture
def key(issuer: Issuer) -> MemberKey:
    return MemberKey.generate(environment_of(issuer.url), "alice")


def test_a_device_asks_and_an_epoch_begins(browser: Browser, token: str, key: MemberKey) -> None:
    device = {"project": "alpha", "public": key.public.members()}
    assert sent(browser, "/dashboard/devices", device, token).status_code == 201
    record = Chain.begin(key, "alpha").current.record
    assert sent(browser, "/dashboard/epochs", {"project": "alpha", "record": record}, token).status_code == 201
    seen = browser.get("/dashboard/sealed?project=alpha")
    assert seen.headers["Cache-Control"] == "no-store"
    assert seen.json()["epochs"]["records"] == [record]
    assert [each["kid"] for each in seen.json()["devices"]["items"]] == [key.kid]
    other = Chain.begin(MemberKey.generate(key.environment, "alice"), "alpha").current.record
    refused = sent(browser, "/dashboard/epochs", {"project": "alpha", "record": other}, token)
    assert (refused.status_code, refused.json()["code"]) == (409, "epoch_conflict")


@pytest.mark.parametrize("path", ["/dashboard/devices", "/dashboard/epochs"])
def test_what_is_not_from_a_page_of_the_console_does_nothing(
    browser: Browser, token: str, key: MemberKey, path: str
) -> None:
    body = {"project": "alpha", "public": key.public.members(), "record": Chain.begin(key, "alpha").current.record}
    assert sent(browser, path, body, "").status_code == 403
    assert sent(browser, path, body, f"{token}x").status_code == 403
    assert sent(browser, path, body, token, Origin="http://elsewhere.example").status_code == 403
    assert sent(browser, path, [body], token).status_code == 403
    found = browser.get("/dashboard/sealed?project=alpha").json()
    assert (found["epochs"]["records"], found["devices"]["items"]) == ([], [])


def test_another_project_is_refused(
    browser: Browser, token: str, key: MemberKey, open_browser: Callable[[str], Browser]
) -> None:
    assert browser.get("/dashboard/sealed?project=beta").status_code == 403
    device = {"project": "beta", "public": key.public.members()}
    refused = sent(browser, "/dashboard/devices", device, token)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    # A page that is asked for another project has one's own.
    assert 'data-project="alpha"' in browser.get("/dashboard?project=beta").text
    stranger = open_browser(browser.url)
    for path in ("/dashboard", "/dashboard/sealed?project=alpha"):
        assert stranger.get(path).status_code == 401


def test_who_is_in_no_project_is_told_so(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.user["groups"] = []
    browser.get("/auth/login")
    assert "You belong to no project yet" in browser.get("/dashboard").text
