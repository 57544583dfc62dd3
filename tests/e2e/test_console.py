"""What a user does with the platform, through the ingress and Keycloak's own pages."""

from __future__ import annotations

import json
import secrets
import uuid

import pytest
from playwright.sync_api import expect

from .console import Console
from .platform_under_test import Account


@pytest.fixture
def name() -> str:
    """A name that no other run used."""
    return f"e2e-{secrets.token_hex(4)}"


def test_an_operator_creates_sees_and_deletes_an_instance(console: Console, alice: Account, name: str) -> None:
    console.open()
    expect(console.page.get_by_test_id("login")).to_be_visible()
    console.picture("landing")
    console.log_in(alice)
    expect(console.create_form).to_be_visible()
    console.picture("logged-in")

    console.create(name)
    expect(console.row(name)).to_have_count(1)
    expect(console.row(name)).to_contain_text("A100")
    console.picture("created")

    console.page.reload()
    expect(console.row(name)).to_have_count(1)
    console.picture("reloaded")

    console.delete(name)
    expect(console.page.get_by_test_id("flash")).to_be_visible()
    expect(console.row(name)).to_have_count(0)
    console.page.reload()
    expect(console.row(name)).to_have_count(0)
    console.picture("deleted")

    console.log_out()
    console.picture("logged-out")
    console.open()
    expect(console.page.get_by_test_id("user")).to_have_count(0)
    # The session at Keycloak has ended as well: it asks for a password again.
    console.begin_login()


def test_a_viewer_sees_instances_and_can_neither_create_nor_delete(console: Console, alice: Account, bob: Account, name: str) -> None:
    console.log_in(alice)
    console.create(name)
    expect(console.row(name)).to_have_count(1)
    identity = console.row(name).get_attribute("data-instance-id")
    project = console.page.get_by_test_id("project").inner_text()
    console.log_out()

    console.log_in(bob)
    expect(console.row(name)).to_have_count(1)
    expect(console.create_form).to_have_count(0)
    expect(console.page.get_by_test_id("delete")).to_have_count(0)
    console.picture("viewer")
    token = console.page.locator("input[name=csrf_token]").first.input_value()
    wanted = {"name": f"{name}-forged", "gpu_type": "A100", "gpu_count": "1", "project": project}
    answer = console.send_form("/instances", {**wanted, "csrf_token": token, "idempotency_key": str(uuid.uuid4())})
    assert answer.status == 403
    console.picture("create-refused")
    console.open()
    answer = console.send_form(f"/instances/{identity}/delete", {"csrf_token": token, "project": project})
    assert answer.status == 403
    console.open()
    expect(console.row(name)).to_have_count(1)
    expect(console.row(f"{name}-forged")).to_have_count(0)
    console.log_out()

    console.log_in(alice)
    console.delete(name)
    expect(console.row(name)).to_have_count(0)


def test_after_logging_out_the_back_button_shows_nothing(console: Console, alice: Account) -> None:
    console.log_in(alice)
    console.log_out()
    console.page.go_back()
    expect(console.page.get_by_test_id("create-form")).to_have_count(0)
    expect(console.page.get_by_test_id("user")).to_have_count(0)


def test_without_a_session_nothing_is_created(console: Console, name: str) -> None:
    console.open()
    wanted = {"name": name, "gpu_type": "A100", "gpu_count": "1", "project": "/projects/atlas"}
    answer = console.send_form("/instances", {**wanted, "csrf_token": "x", "idempotency_key": str(uuid.uuid4())})
    assert 400 <= answer.status < 500
    expect(console.page.get_by_test_id("user")).to_have_count(0)


def test_a_form_from_elsewhere_is_refused(console: Console, alice: Account, name: str) -> None:
    console.log_in(alice)
    project = console.page.get_by_test_id("project").inner_text()
    wanted = {"name": name, "gpu_type": "A100", "gpu_count": "1", "project": project}
    answer = console.send_form("/instances", {**wanted, "csrf_token": "guessed", "idempotency_key": str(uuid.uuid4())})
    assert answer.status in (400, 403)
    console.open()
    expect(console.row(name)).to_have_count(0)


def test_no_token_reaches_the_browser_and_cookies_are_guarded(console: Console, alice: Account) -> None:
    console.log_in(alice)
    cookies = console.page.context.cookies(console.url)
    assert cookies
    for cookie in cookies:
        assert cookie["secure"] and cookie["httpOnly"], cookie["name"]
        assert cookie["sameSite"] in ("Lax", "Strict"), cookie["name"]
    stored = console.page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.documentElement.outerHTML])")
    everything = stored + json.dumps([cookie["value"] for cookie in cookies])
    # The header of every JSON web token begins so.
    assert "eyJ" not in everything


# Last, and as a user that no test before needs: Keycloak makes whoever fails wait.
def test_a_wrong_password_does_not_log_in(console: Console, bob: Account) -> None:
    console.open()
    console.begin_login()
    console.give_credentials(bob.name, "not the password of bob")
    expect(console.page.locator("#input-error, #input-error-username, .pf-v5-c-alert").first).to_be_visible()
    assert console.page.url.startswith(console.auth_url)
    console.picture("refused")
    console.open()
    expect(console.page.get_by_test_id("user")).to_have_count(0)
