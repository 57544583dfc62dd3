"""A user of the web console, who looks at a page every second and logs in again when the session has ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import open_context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import walk
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import credentials
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback
from ansible_collections.gpuaas.parity.plugins.module_utils._run.lock import RunLock

from .record import Call, now
from .site import site_of

# Not the one who writes: Keycloak refuses two logins of one user at once.
NAME = "bob"
PACE = 1.0
TIMEOUT = 10.0
# Seconds until somebody who could not log in tries again.
PATIENCE = 5.0


class Visitor:
    """Looks from ``with`` on; ``pages`` has every answer, which counts as a success where the page shows the user's name."""

    def __init__(self, state_dir: Path, phase: Callable[[], str]) -> None:
        self.pages: list[Call] = []
        self.logins = 0
        self._state_dir = state_dir
        self._phase = phase
        self._url = str(read_contract(state_dir)["endpoints"]["web"]["url"])
        self._again_at = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        with loopback.client(self._state_dir / "tls" / "ca.crt", timeout=TIMEOUT) as browser:
            while not self._end.is_set():
                phase, began = self._phase(), time.monotonic()
                answer = self._page(browser)
                seen = "page" if answer == "200" else ""
                self.pages.append(Call("", phase, answer, round(time.monotonic() - began, 3), seen, at=now()))
                if answer == "logged out":
                    self._log_in(browser)
                self._end.wait(PACE)

    def _page(self, browser: httpx.Client) -> str:
        try:
            page = browser.get(f"{self._url}/")
        except httpx.HTTPError as error:
            return type(error).__name__
        if page.status_code == httpx.codes.OK and f'data-testid="user">{NAME}<' not in page.text:
            return "logged out"
        return str(page.status_code)

    def _log_in(self, browser: httpx.Client) -> None:
        # A check of a run may be logging the same user in.
        if time.monotonic() < self._again_at or RunLock(self._state_dir).holder() is not None:
            return
        self._again_at = time.monotonic() + PATIENCE
        try:
            with open_context(site_of(self._state_dir)) as context:
                walk(browser, f"{self._url}/auth/login", credentials(context, NAME))
            self.logins += 1
        except ParityError:
            # The next page says that nobody is logged in.
            return
