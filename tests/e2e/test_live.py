"""An instance comes up before its user's eyes: nothing is reloaded, in a lane that provisions."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import expect

from .console import Console
from .platform_under_test import Account, Platform


@pytest.fixture(autouse=True)
def provisioning(platform: Platform) -> None:
    if "provisioning" not in platform.contract["services"]:
        pytest.skip("nothing provisions in this lane")


def test_an_instance_comes_up_without_a_reload(console: Console, alice: Account) -> None:
    name = f"e2e-{secrets.token_hex(4)}"
    console.log_in(alice)
    console.create(name, workload="notebook")
    expect(console.row(name)).to_be_visible()
    console.page.evaluate("window.notReloaded = true")
    expect(console.row(name).get_by_text("running")).to_be_visible()
    console.picture("running")
    assert console.page.evaluate("window.notReloaded")
    console.row(name).get_by_role("link").click()
    expect(console.page.get_by_test_id("timeline")).to_contain_text("Runs on gpu-")
    expect(console.page.get_by_test_id("workload")).to_have_text("Its notebook answers.")
    expect(console.page.get_by_test_id("timeline")).to_contain_text("Its notebook answers.")
    console.picture("timeline")
    console.page.set_viewport_size({"width": 400, "height": 800})
    console.picture("narrow")
    assert console.page.evaluate("document.documentElement.scrollWidth <= 400")
