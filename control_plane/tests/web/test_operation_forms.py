"""An instance's page offers what is possible in its state, does it once, and says why when it is refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import psycopg
import pytest

from support.browser import Browser, Forms
from support.issuer import Issuer


@pytest.fixture
def path(browser: Browser, api: httpx.Client, database: psycopg.Connection) -> str:
    """The page of an instance of alice that runs."""
    page = browser.submit(browser.get("/auth/login"), "/instances", name="training-1", gpu_type="A100", gpu_count="2")
    found = re.search(r'data-instance-id="([0-9a-f-]{36})"', page.text)
    assert found
    become(database, "running")
    return f"/instances/{found[1]}"


def become(database: psycopg.Connection, state: str, reason: str | None = None) -> None:
    """As a workflow leaves it."""
    database.execute("UPDATE instances SET state = %s, reason = %s, wanted_gpu_count = NULL", [state, reason])


def offered(page: httpx.Response) -> set[str]:
    """The last word of each form's address."""
    return {action.rpartition("/")[2] for action in Forms(page.text).forms if action.startswith("/instances/")}


@pytest.mark.parametrize(
    ("state", "forms"),
    [("running", {"stop", "resize"}), ("stopped", {"start", "resize"}), ("starting", set()), ("failed", set())],
)
def test_only_what_is_possible_is_offered(
    browser: Browser, path: str, database: psycopg.Connection, state: str, forms: set[str]
) -> None:
    become(database, state)
    assert offered(browser.get(path)) == forms


def test_a_viewer_is_offered_nothing(browser: Browser, path: str, issuer: Issuer) -> None:
    issuer.user = {**issuer.user, "roles": ["viewer"]}
    browser.get("/auth/login")
    page = browser.get(path)
    assert 'data-testid="state">running' in page.text
    assert offered(page) == set()


def test_each_form_asks_once_and_shows_what_came_of_it(
    browser: Browser, path: str, database: psycopg.Connection
) -> None:
    for before, what, after in (("running", "stop", "stopping"), ("stopped", "start", "starting")):
        become(database, before)
        page = browser.get(path)
        for _round in range(2):
            answer = browser.submit(page, f"{path}/{what}")
            assert f'data-testid="state">{after}' in answer.text
    become(database, "running")
    answer = browser.submit(browser.get(path), f"{path}/resize", gpu_count="8")
    assert 'data-testid="gpus">2 × A100</span>, moving to 8' in answer.text
    told = [row[0] for row in database.execute("SELECT event_type FROM outbox ORDER BY id").fetchall()]
    assert told == [f"instance.{what}" for what in ("requested", "stopping", "starting", "resizing")]


def test_what_is_refused_is_said_on_the_page_as_it_is_now(
    browser: Browser, path: str, database: psycopg.Connection
) -> None:
    page = browser.get(path)
    become(database, "starting")
    answer = browser.submit(page, f"{path}/stop")
    assert answer.status_code == 409
    assert "The instance is starting; only one that is running can be stopped." in answer.text
    assert 'data-testid="state">starting' in answer.text
    # Its script goes on with the page of the instance, not with the address of the form.
    assert f'data-page="{path}"' in answer.text


def test_a_form_without_its_token_does_nothing(browser: Browser, path: str, database: psycopg.Connection) -> None:
    for what in ("stop", "resize"):
        answer = browser.request("POST", f"{path}/{what}", {"gpu_count": "4"}, Origin=browser.url)
        assert answer.status_code == 403
    assert database.execute("SELECT state, operation FROM instances").fetchone() == ("running", 0)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("running", "It was not resized: not so many GPUs of this type are free."),
        ("stopped", "It was not started: not so many GPUs of this type are free."),
        ("failed", "It failed: not so many GPUs of this type are free."),
    ],
)
def test_a_reason_is_told_by_what_it_is_the_reason_of(
    browser: Browser, path: str, database: psycopg.Connection, state: str, said: str
) -> None:
    become(database, state, "no_capacity")
    assert said in browser.get(path).text


@pytest.fixture
def small(
    start_api: Callable[..., httpx.Client], start_web: Callable[..., str], open_browser: Callable[[str], Browser]
) -> Browser:
    """A console whose project may have four GPUs."""
    start_api(GPUAAS_PROJECT_GPU_QUOTA="4")
    return open_browser(start_web())


def test_the_quota_is_shown_before_a_form_is_sent_and_when_it_is_refused(
    small: Browser, database: psycopg.Connection
) -> None:
    page = small.get("/auth/login")
    assert "0 of 4 GPUs of this project are used." in page.text
    page = small.submit(page, "/instances", name="a", gpu_type="H100", gpu_count="3")
    assert "3 of 4 GPUs of this project are used." in page.text
    page = small.submit(page, "/instances", name="b", gpu_type="H100", gpu_count="2")
    assert page.status_code == 403
    assert "Project alpha uses 3 of its 4 GPUs, and would use 5." in page.text
    assert Forms(page.text).forms["/instances"]["name"] == "b"
    assert database.execute("SELECT name FROM instances").fetchall() == [("a",)]


def test_an_instance_is_offered_what_fits(small: Browser, database: psycopg.Connection) -> None:
    page = small.submit(small.get("/auth/login"), "/instances", name="a", gpu_type="H100", gpu_count="3")
    become(database, "running")
    found = re.search(r'href="(/instances/[0-9a-f-]{36})"', page.text)
    assert found
    page = small.get(found[1])
    assert re.findall(r"<option[^>]*>(\d)</option>", page.text) == ["1", "2", "3", "4"]
    answer = small.submit(page, f"{found[1]}/resize", gpu_count="8")
    assert answer.status_code == 403
    assert "Project alpha uses 3 of its 4 GPUs, and would use 8." in answer.text
