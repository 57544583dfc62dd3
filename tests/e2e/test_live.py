"""An instance comes up before its user's eyes: nothing is reloaded, in a lane that provisions."""

from __future__ import annotations

import re
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
    # Of a type that has room for its GPUs and those that take their place.
    console.create(name, "L40S", workload="notebook")
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

    _stop_start_and_resize(console, name)


def _stop_start_and_resize(console: Console, name: str) -> None:
    """On the instance's page, each until it is done, and no reload in between."""
    timeline = console.page.get_by_test_id("timeline")
    for what, under_way, done, said, times in (
        ("Stop", "stopping", "stopped", r"Stopped: its GPUs were given back\.", 1),
        ("Start", "starting", "running", "Runs on gpu-", 2),
        ("Resize", "resizing", "running", r"Resized to 1 \S L40S", 1),
    ):
        if what == "Resize":
            console.page.get_by_label(f"GPUs of {name}").select_option("1")
        console.operate(name, what)
        expect(console.state).to_have_text(re.compile(f"{under_way}|{done}"))
        console.page.evaluate("window.notReloaded = true")
        expect(console.state).to_have_text(done)
        expect(timeline.get_by_role("listitem").filter(has_text=re.compile(said))).to_have_count(times)
        assert console.page.evaluate("window.notReloaded")
        console.picture(what.lower())
    expect(console.page.get_by_test_id("gpus")).to_have_text(re.compile(r"^1 \S L40S$"))
    expect(console.page.get_by_test_id("quota")).to_contain_text("GPUs of this project are used")
