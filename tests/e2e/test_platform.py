"""Whoever runs the platform sees how it does, and renewed without a reload; tenants do not, and their pages have words at most."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, expect

from .console import Console
from .platform_under_test import Account, Platform

WORKERS = {"outbox-relay", "notification", "provisioning", "app-runtime", "journal"}
# More than the links and buttons of the page.
TABS = 20


def test_a_tenant_neither_sees_nor_reaches_the_platforms_page(console: Console, alice: Account) -> None:
    console.log_in(alice)
    expect(console.page.get_by_test_id("platform")).to_have_count(0)
    answer = console.open("/platform")
    assert answer is not None
    assert answer.status == 403
    expect(console.page.get_by_test_id("error")).to_have_text("That is not allowed")
    console.picture("refused")


def test_an_operator_of_the_platform_sees_how_it_does(console: Console, carol: Account, platform: Platform) -> None:
    page = console.page
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    console.log_in(carol)
    expect(page.get_by_role("heading", level=1)).to_have_text("Platform")
    page.on("console", complain)
    workers = WORKERS & set(platform.contract["services"])
    for name in workers:
        expect(page.locator(f'[data-worker="{name}"]').get_by_text("working")).to_be_visible()
    if workers:
        expect(page.get_by_test_id("node").first).to_be_visible()
        expect(page.get_by_test_id("unknown")).to_have_count(0)
    else:
        expect(page.get_by_test_id("unknown")).to_have_count(5)
    console.picture("wide")

    # It is renewed where it stands, and who works with the keyboard stays where they were.
    reached = []
    for _tab in range(TABS):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"))
    assert {"Log out", "Platform"} <= set(reached)
    if workers:
        assert {"Table of workers", "Table of streams", "Table of GPU types", "Table of nodes"} <= set(reached)
        page.get_by_label("Table of nodes").focus()
    page.evaluate("window.notReloaded = true")
    before = page.get_by_test_id("as-of").inner_text()
    expect(page.get_by_test_id("as-of")).not_to_have_text(before)
    assert page.evaluate("window.notReloaded")
    if workers:
        expect(page.get_by_label("Table of nodes")).to_be_focused()

    page.set_viewport_size({"width": 400, "height": 800})
    console.picture("narrow")
    assert page.evaluate("document.documentElement.scrollWidth <= 400")
    assert complaints == []
