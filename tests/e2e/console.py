"""The web console as a user sees it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, Response, expect

from .platform_under_test import Account


class Console:
    """Pages and controls of the console in one tab; every named step leaves a screenshot."""

    def __init__(self, page: Page, url: str, auth_url: str, screenshots: Path, name: str) -> None:
        self.page = page
        self.url = url
        self.auth_url = auth_url
        self._screenshots = screenshots
        self._name = name
        self._steps = 0

    def picture(self, step: str) -> None:
        """Keep what is on the screen now."""
        self._steps += 1
        self.page.screenshot(path=self._screenshots / f"{self._name}-{self._steps:02}-{step}.png", full_page=True)

    def open(self, path: str = "/") -> Response | None:
        """Type the console's address."""
        return self.page.goto(f"{self.url}{path}")

    def begin_login(self) -> None:
        """Follow the console's own link to Keycloak's page."""
        self.page.get_by_test_id("login").click()
        self.page.wait_for_url(re.compile(re.escape(f"{self.auth_url}/realms/gpuaas/")))
        expect(self.page.locator("#username")).to_be_editable()

    def give_credentials(self, name: str, password: str) -> None:
        """Fill and send Keycloak's form."""
        self.page.locator("#username").fill(name)
        # Editable before it is filled: the log of a call that waits would show the value.
        field = self.page.locator("#password")
        expect(field).to_be_editable()
        field.fill(password)
        self.page.locator("#kc-login").click()

    def log_in(self, account: Account) -> None:
        """From the landing page to the list of instances."""
        self.open()
        self.begin_login()
        self.picture("keycloak")
        self.give_credentials(account.name, account.password)
        self.page.wait_for_url(re.compile(re.escape(f"{self.url}/")))
        expect(self.page.get_by_test_id("user")).to_have_text(account.name)

    def log_out(self) -> None:
        """Press the button and come back to the landing page."""
        self.page.get_by_test_id("logout").click()
        expect(self.page.get_by_test_id("login")).to_be_visible()
        self.page.wait_for_url(f"{self.url}/")

    @property
    def create_form(self) -> Locator:
        return self.page.get_by_test_id("create-form")

    def row(self, name: str) -> Locator:
        """The row of one instance: its heading is the name and then, without a space, the id, a UUID."""
        heading = self.page.get_by_role("rowheader").filter(has_text=re.compile(rf"^\s*{re.escape(name)}\s*[0-9a-f]{{8}}-"))
        return self.page.get_by_test_id("instance-row").filter(has=heading)

    def create(self, name: str, gpu_type: str = "A100", gpus: int = 2, workload: str = "none") -> None:
        """Fill and send the form for a new instance."""
        form = self.create_form
        form.get_by_label("Name").fill(name)
        form.get_by_label("GPU type").select_option(gpu_type)
        form.get_by_label("GPUs").select_option(str(gpus))
        form.get_by_label("Workload").select_option(workload)
        form.get_by_role("button", name="Create").click()

    @property
    def state(self) -> Locator:
        """The state on an instance's page."""
        return self.page.get_by_test_id("state")

    def operate(self, name: str, what: str) -> None:
        """Press a button of an instance's page, Stop, Start or Resize, and see the page that it leads to."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=f"{what} {name}").click()

    def delete(self, name: str) -> None:
        """Press the button of an instance's row."""
        self.row(name).get_by_test_id("delete").click()

    def send_form(self, action: str, values: dict[str, Any]) -> Response:
        """Send a form that the page does not offer, as somebody would who writes it into the page by hand."""
        script = """([action, values]) => {
            const form = document.createElement('form');
            form.method = 'post';
            form.action = action;
            for (const [name, value] of Object.entries(values)) {
                const field = document.createElement('input');
                field.type = 'hidden';
                field.name = name;
                field.value = value;
                form.append(field);
            }
            document.body.append(form);
            form.submit();
        }"""
        with self.page.expect_navigation() as navigation:
            self.page.evaluate(script, [action, values])
        answer = navigation.value
        # What answered is what the form was sent to, and not a page it was redirected to.
        assert answer.request.method == "POST"
        return answer
