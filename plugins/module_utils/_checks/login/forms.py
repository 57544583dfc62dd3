# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML login forms, read with the standard library's parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

# Where Keycloak's login pages say what is wrong; either may be there.
_MESSAGES = ("input-error", "kc-feedback-text", "kc-error-message")


@dataclass
class Form:
    """A form's absolute action, its method in upper case, and its fields with their preset values."""

    action: str
    method: str = "POST"
    fields: dict[str, str] = field(default_factory=dict)


class _Page(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.title = ""
        self.message = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(urljoin(self.url, given.get("action", "")), given.get("method", "get").upper()))
        elif tag in ("input", "button") and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "title":
            self._inside = "title"
        elif any(mark in (given.get("id", ""), *given.get("class", "").split()) for mark in _MESSAGES):
            self._inside = "message"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("title", "span", "div", "p"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and self._inside == "title":
            self.title = text
        elif text and self._inside == "message":
            self.message = f"{self.message} {text}".strip()


def login_form(html: str, url: str) -> Form | None:
    """The page's first form that asks for a password, with its action made absolute; None when there is none."""
    page = _Page(url)
    page.feed(html)
    return next((form for form in page.forms if "password" in form.fields), None)


def describe(html: str, url: str) -> str:
    """What a page says to a human, in short: its title and its error message."""
    page = _Page(url)
    page.feed(html)
    return ": ".join(part for part in (page.title, page.message) if part) or "a page without a title"
