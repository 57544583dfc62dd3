"""A real browser: Debian's Chromium, driven by Playwright, one fresh profile for each test."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect, sync_playwright

from .console import Console
from .platform_under_test import Account, Platform

# A cold page on two busy cores.
PATIENCE_MS = 20_000
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
)

Screenshot = Callable[[str], None]


@pytest.fixture(scope="session")
def platform() -> Platform:
    """The platform under test; without one there is nothing to test, which is a failure."""
    try:
        return Platform.load()
    except FileNotFoundError as error:
        pytest.exit(f"{error.filename} is missing: make kind-parity-up", returncode=1)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program: ``PARITY_CHROMIUM``, or the first that is installed."""
    found = os.environ.get("PARITY_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.exit("no Chromium: sudo apt-get install chromium, or name one with PARITY_CHROMIUM", returncode=1)
    return found


@pytest.fixture(scope="session")
def pins(platform: Platform) -> str:
    """What the browser is to trust, see `Platform.pins`."""
    return ",".join(platform.pins())


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        expect.set_options(timeout=PATIENCE_MS)
        yield running


@pytest.fixture
def context(playwright: Playwright, chromium: str, pins: str, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser with an empty profile. Chromium heeds the list of keys only with a profile of its own."""
    # A home of its own as well: fonts, certificates and settings of the user play no part.
    (tmp_path / "home").mkdir()
    context = playwright.chromium.launch_persistent_context(
        tmp_path / "profile",
        executable_path=chromium,
        headless=True,
        args=[*QUIET, f"--ignore-certificate-errors-spki-list={pins}"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "LANG": "C.UTF-8"},
        locale="en-GB",
        viewport={"width": 1200, "height": 800},
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def screenshots(platform: Platform) -> Path:
    """Where screenshots go: ``PARITY_SCREENSHOTS``, else the run's reports."""
    folder = Path(os.environ.get("PARITY_SCREENSHOTS") or platform.state_dir / "reports" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def console(context: BrowserContext, platform: Platform, screenshots: Path, request: pytest.FixtureRequest) -> Iterator[Console]:
    """The web console in the browser; leaves a screenshot of the last page, and one of each named step."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))
    console = Console(context.pages[0], platform.url("web"), platform.url("auth"), screenshots, name)
    yield console
    console.picture("end")


@pytest.fixture
def alice(platform: Platform) -> Account:
    """Operator of project atlas."""
    return platform.account("alice")


@pytest.fixture
def bob(platform: Platform) -> Account:
    """Viewer of project atlas."""
    return platform.account("bob")


@pytest.fixture
def carol(platform: Platform) -> Account:
    """Runs the platform, and has no project."""
    return platform.account("carol")
