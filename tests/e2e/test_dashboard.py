"""A project as it lives, through the ingress: a viewer sees what an operator asks for, and nothing is reloaded."""

from __future__ import annotations

import secrets
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from .console import Console
from .platform_under_test import Account, Platform


def test_what_happens_is_on_the_dashboard(
    console: Console, context: BrowserContext, screenshots: Path, alice: Account, platform: Platform
) -> None:
    page = console.page
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    console.log_in(alice)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.get_by_test_id("dashboard").click()
    expect(page.get_by_test_id("live")).to_have_text("live")
    expect(page.get_by_test_id("security-mode")).to_have_text(platform.contract["services"]["web"]["settings"]["GPUAAS_SECURITY_MODE"])
    # What is sealed was looked at: the library that opens it is in the image.
    expect(page.get_by_test_id("make-key")).to_be_visible()
    settings = platform.contract["services"]["api"]["settings"]
    if platform.contract["mode"] == "compose" and settings["GPUAAS_KEY_PROVIDER"].startswith("file:"):
        # Demo data are there, sealed by a member with a key in escrow: in LOCAL the server opens them for another member.
        expect(page.get_by_test_id("sealed-item").filter(has_text="llm-pretraining").get_by_test_id("opened")).to_contain_text("torchrun")
    page.evaluate("window.notReloaded = true")
    asked = page.get_by_test_id("timeline").get_by_role("listitem").filter(has_text="Requested with").filter(has_text="A100")
    before = asked.count()
    tab = Console(context.new_page(), console.url, console.auth_url, screenshots, "dashboard-beside")
    tab.open()
    tab.create(f"e2e-{secrets.token_hex(4)}", "A100")
    expect(page.get_by_test_id("fleet").filter(has_text="A100").first).to_be_visible()
    if "notification" in platform.contract["services"]:
        # What follows comes above it within moments.
        expect(asked).not_to_have_count(before)
    assert page.evaluate("window.notReloaded")
    console.picture("live")
    page.set_viewport_size({"width": 400, "height": 800})
    console.picture("narrow")
    assert page.evaluate("document.documentElement.scrollWidth <= 400")
    assert complaints == []
