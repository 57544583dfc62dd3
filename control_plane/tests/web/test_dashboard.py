"""The dashboard as a member has it: in a browser, with a real API behind it, and keys that the server never sees."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Page, Playwright, expect, sync_playwright

from gpuaas.api import feed
from gpuaas.encryption import instance, start, tenant
from gpuaas.encryption.environment import environment_of
from gpuaas.encryption.epoch import Chain, Pin
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.providers.file import FileKeyProvider
from gpuaas.encryption.refusal import RefusedError
from gpuaas.web import files, live
from gpuaas.web.resources import Resources
from support import chromium
from support.instances import BODY, bearer, create
from support.issuer import Issuer
from support.members import CANARY, PLAINTEXT, Client
from test_api_timeline import happens

PATIENCE_MS = 20_000
NARROW = {"width": 400, "height": 800}

type Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        expect.set_options(timeout=PATIENCE_MS)
        yield running


@pytest.fixture
def web(start_web: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(files, "JOSE", chromium.jose())
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(live, "SOON_SECONDS", 0.05)
    return start_web()


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What scripts threw, and what the content security policy stopped: nothing."""
    said: list[str] = []
    yield said
    assert said == []


@pytest.fixture
def open_page(playwright: Playwright, tmp_path: Path, web: str, complaints: list[str]) -> Iterator[Open]:
    """A browser with a profile of its own, logged in and at the dashboard."""
    with ExitStack() as stack:

        def open_one(name: str) -> Page:
            home = tmp_path / name
            home.mkdir()
            context = playwright.chromium.launch_persistent_context(
                home / "profile",
                executable_path=chromium.program(),
                headless=True,
                args=list(chromium.QUIET),
                env={**chromium.environment(home)},
                viewport={"width": 1200, "height": 900},
            )
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            page = context.pages[0]
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.goto(f"{web}/auth/login")
            page.goto(f"{web}/dashboard")
            return page

        yield open_one


class Terminal:
    """A member's device on the command line, which is asked to be let in."""

    def __init__(self, api: httpx.Client, issuer: Issuer) -> None:
        self.api, self.headers = api, bearer(issuer)
        self.environment = environment_of(issuer.url)
        self.key = MemberKey.generate(self.environment, "alice")

    def ask(self) -> None:
        body = {"public": self.key.public.members()}
        assert self.api.post("/v1/devices", json=body, headers=self.headers).status_code == 201

    def chain(self, pin: Pin) -> Chain:
        records = self.api.get("/v1/epochs", headers=self.headers).json()["records"]
        return Chain.verified(self.environment, "alpha", records, pin)

    def create(self, chain: Chain, name: str = "training-1") -> str:
        """An instance with something private; its id."""
        made = self.asked(chain, name)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def asked(self, chain: Chain, name: str) -> httpx.Response:
        """What the API says to one that is sealed under the newest epoch of ``chain``."""
        instance_id = uuid.uuid4()
        binding = instance.binding(self.environment, "alpha", instance_id, name)
        envelope = tenant.seal(PLAINTEXT, binding, self.key, chain.current)
        private = {"instance_id": str(instance_id), "envelope": envelope}
        return create(self.api, self.headers, BODY | {"name": name, "private": private})


def found(page: Page) -> str:
    """Make a key, begin to seal, and return the recovery key."""
    page.get_by_test_id("make-key").click()
    page.get_by_test_id("found").click()
    recovery = page.get_by_test_id("recovery").inner_text()
    page.get_by_test_id("written").click()
    expect(page.get_by_test_id("device")).to_contain_text("This browser is a member, as of epoch 1")
    return recovery


def let_in(page: Page, kid: str) -> Pin:
    """Let a device in that shows this key; what the page shows to compare."""
    page.reload()
    asking = page.get_by_test_id("asking").filter(has_text=kid)
    asking.get_by_test_id("let-in").click()
    expect(page.get_by_test_id("asking").filter(has_text=kid)).to_have_count(0)
    words = page.get_by_test_id("device").inner_text()
    number = int(words.split("as of epoch ")[1].split(".")[0])
    return Pin(number, page.get_by_test_id("pin").inner_text())


def picture(page: Page, name: str) -> None:
    """For who wants to look: where ``PARITY_SCREENSHOTS`` says."""
    if folder := os.environ.get("PARITY_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"dashboard-{name}.png", full_page=True)


def test_what_happens_is_on_the_screen_and_nothing_is_missed(
    open_page: Open, api: httpx.Client, issuer: Issuer, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: dict[int, tuple[asyncio.AbstractEventLoop, Resources]] = {}
    watch = live._Follower.watch

    async def watched(self: live._Follower) -> None:
        running[id(self._its)] = asyncio.get_running_loop(), self._its
        await watch(self)

    monkeypatch.setattr(live._Follower, "watch", watched)
    one = create(api, bearer(issuer)).json()["id"]
    happens(database, one, 2)
    page = open_page("alice")
    lines = page.get_by_test_id("timeline").locator("li")
    expect(page.get_by_test_id("live")).to_have_text("live")
    expect(lines).to_have_count(2)
    expect(page.get_by_test_id("security-mode")).to_have_text("PROD")
    database.execute("UPDATE instances SET state = 'running'")
    happens(database, one)
    happens(database, one, project="beta")
    expect(lines).to_have_count(3)
    expect(page.get_by_test_id("fleet")).to_contain_text("running")
    # The console is replaced: it closes what is open, and what comes meanwhile.
    _page, (loop, its) = running.popitem()
    loop.call_soon_threadsafe(its.stopping.set)
    expect(page.get_by_test_id("live")).to_have_text("reconnecting")
    positions = happens(database, one, 4)
    loop.call_soon_threadsafe(its.stopping.clear)
    expect(page.get_by_test_id("live")).to_have_text("live")
    expect(lines.first).to_have_attribute("data-position", str(positions[-1]))
    expect(lines).to_have_count(7)
    picture(page, "timeline")


def test_in_prod_the_browser_opens_and_devices_let_each_other_in(
    open_page: Open, api: httpx.Client, issuer: Issuer, database: psycopg.Connection
) -> None:
    first = open_page("laptop")
    recovery = found(first)
    terminal = Terminal(api, issuer)
    terminal.ask()
    pin = let_in(first, terminal.key.kid)
    terminal.create(terminal.chain(pin))
    first.reload()
    expect(first.get_by_test_id("opened")).to_have_text(PLAINTEXT.decode())
    picture(first, "prod")
    # Another browser of hers: it reads nothing until a device that is there has let it in.
    second = open_page("phone")
    second.set_viewport_size(NARROW)  # type: ignore[arg-type]
    second.get_by_test_id("make-key").click()
    kid = second.get_by_test_id("kid").inner_text()
    assert CANARY not in second.content()
    expect(second.get_by_test_id("sealed-item")).to_contain_text("plaintext_not_here")
    shown = let_in(first, kid)
    expect(second.get_by_test_id("pin")).to_have_text(shown.digest)
    assert CANARY not in second.content()
    second.get_by_test_id("trust").click()
    expect(second.get_by_test_id("opened")).to_have_text(PLAINTEXT.decode())
    assert second.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    picture(second, "narrow")
    # The customer's key reads without any device; it was never sent.
    third = open_page("borrowed")
    third.get_by_test_id("recovery-input").fill(recovery)
    third.get_by_test_id("recovery-input").press("Enter")
    expect(third.get_by_test_id("opened")).to_have_text(PLAINTEXT.decode())
    secret = recovery.split(".")[3]
    for table in ("epochs", "members", "instance_envelopes", "instances", "outbox"):
        (kept,) = database.execute(f"SELECT coalesce(string_agg({table}::text, ''), '') FROM {table}").fetchone() or (
            "",
        )
        assert CANARY not in kept
        assert secret not in kept


def test_a_member_who_is_removed_writes_and_reads_nothing_more(
    open_page: Open, api: httpx.Client, issuer: Issuer
) -> None:
    page = open_page("laptop")
    found(page)
    terminal = Terminal(api, issuer)
    terminal.ask()
    pin = let_in(page, terminal.key.kid)
    chain = terminal.chain(pin)
    before = terminal.create(chain, "before")
    member = page.get_by_test_id("member").filter(has_text=terminal.key.kid)
    member.get_by_test_id("remove").click()
    expect(page.get_by_test_id("device")).to_contain_text("This browser is a member, as of epoch 3")
    expect(page.get_by_test_id("member")).to_have_count(0)
    # What it seals under the epoch that it knows is late, and under the new one it is nobody's.
    for late, code in ((chain, (409, "envelope_epoch_stale")), (terminal.chain(pin), (400, "envelope_author"))):
        refused = terminal.asked(late, "after")
        assert (refused.status_code, refused.json()["code"]) == code
    with pytest.raises(RefusedError, match="epoch_recipient"):
        terminal.chain(pin).unlock(terminal.key.agree)
    # What was sealed before is still there for who stays.
    page.reload()
    expect(page.get_by_test_id("opened")).to_have_text(PLAINTEXT.decode())
    assert page.get_by_test_id("sealed-item").count() == 1
    assert api.get(f"/v1/instances/{before}", headers=terminal.headers).json()["private"]
    picture(page, "removed")


def test_no_key_comes_out_of_the_browser(open_page: Open, api: httpx.Client) -> None:
    page = open_page("laptop")
    page.get_by_test_id("make-key").click()
    expect(page.get_by_test_id("kid")).to_be_visible()
    outcomes = page.evaluate("""async () => {
        const { Keys } = await import("/static/keys.js");
        const environment = location.hostname.split(".").slice(1).join(".");
        const device = await new Keys(environment, "alice").device();
        const tries = [device.sign.key, device.agree.key].flatMap((key) =>
          ["jwk", "pkcs8", "raw"].map((format) => crypto.subtle.exportKey(format, key)));
        return (await Promise.allSettled(tries)).map((each) => each.status);
    }""")
    assert outcomes == ["rejected"] * 6


def test_a_server_that_lies_is_refused_by_name(open_page: Open, api: httpx.Client, issuer: Issuer) -> None:
    page = open_page("laptop")
    found(page)
    terminal = Terminal(api, issuer)
    terminal.ask()
    chain = terminal.chain(let_in(page, terminal.key.kid))
    one, other = terminal.create(chain, "one"), terminal.create(chain, "other")

    def served(change: Callable[[dict[str, Any]], None]) -> None:
        def answer(route: Any) -> None:
            document = route.fetch().json()
            change(document)
            route.fulfill(body=json.dumps(document), content_type="application/json")

        page.unroute_all()
        page.route("**/dashboard/sealed?**", answer)
        page.reload()

    def swapped(what: str) -> Callable[[dict[str, Any]], None]:
        def change(document: dict[str, Any]) -> None:
            first, second = document["envelopes"]["items"]
            assert {first["instance_id"], second["instance_id"]} == {one, other}
            first[what], second[what] = second[what], first[what]

        return change

    # One's envelope, with its event id, under the other's name; the other's id; another name for what is the same.
    for what in ("content", "instance_id", "name"):
        served(swapped(what))
        expect(page.get_by_test_id("refused")).to_have_count(2)
        expect(page.get_by_test_id("sealed")).to_contain_text("envelope_event_id")
    served(lambda document: document["epochs"]["records"].pop())
    expect(page.get_by_test_id("sealed")).to_contain_text("epoch_rolled_back")
    mallory = MemberKey.generate(terminal.environment, "alice")
    forged = [each.record for each in Chain.begin(mallory, "alpha").epochs]
    served(lambda document: document["epochs"].update(records=[*forged, *forged]))
    expect(page.get_by_test_id("sealed")).to_contain_text("epoch_chain")
    served(lambda document: document["epochs"].update(records=forged))
    expect(page.get_by_test_id("sealed")).to_contain_text("epoch_rolled_back")
    assert page.get_by_test_id("opened").count() == 0
    # A key in another's name is shown as the key that it is.
    served(
        lambda document: document["devices"]["items"].append(
            {"kid": terminal.key.kid, "name": "alice", "public": mallory.public.members()}
        )
    )
    expect(page.get_by_test_id("asking")).to_contain_text(mallory.kid)
    picture(page, "lies")


def test_it_works_by_keyboard(open_page: Open, api: httpx.Client) -> None:
    page = open_page("laptop")
    expect(page.get_by_test_id("make-key")).to_be_visible()
    page.locator("body").press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    for _press in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.testid") == "make-key":
            break
    expect(page.get_by_test_id("make-key")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("found")).to_be_focused()
    page.keyboard.press("Enter")
    recovery = page.get_by_test_id("recovery")
    expect(recovery).to_be_focused()
    # What happens meanwhile does not take it away before it was written down.
    expect(page.get_by_test_id("epoch")).to_contain_text("1")
    expect(recovery).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("device")).to_contain_text("This browser is a member")


@pytest.fixture
def local(
    start_api: Callable[..., httpx.Client], issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> httpx.Client:
    """An API in LOCAL, with a root key in a file. The issuer is at 127.0.0.1, which LOCAL refuses."""
    monkeypatch.setattr(start, "refuse", lambda *_held: None)
    ring = tmp_path / "root_keyring"
    FileKeyProvider(ring, environment_of(issuer.url)).create()
    return start_api(GPUAAS_SECURITY_MODE="LOCAL", GPUAAS_KEY_PROVIDER=ring.as_uri(), GPUAAS_MEMBER_KEYS="escrow")


def test_in_local_the_server_opens_for_a_member(
    local: httpx.Client, open_page: Open, issuer: Issuer, database: psycopg.Connection, tmp_path: Path
) -> None:
    client = Client(local, issuer)
    client.begin()
    client.create(client.private())
    client.leave_key(database, FileKeyProvider(tmp_path / "root_keyring", client.environment))
    page = open_page("laptop")
    expect(page.get_by_test_id("security-mode")).to_have_text("LOCAL")
    expect(page.get_by_test_id("opened")).to_have_text(PLAINTEXT.decode())
    picture(page, "local")
