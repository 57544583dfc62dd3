"""What a browser does for us: cookies, redirects, forms. Cookies are kept by hand, since ours are Secure."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

FIELDS = ("input", "select")


class Forms(HTMLParser):
    """Forms of a page by their action, with the values that a browser would send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self.test_ids: list[str] = []
        self._fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if test_id := given.get("data-testid"):
            self.test_ids.append(test_id)
        if tag == "form":
            self._fields = self.forms.setdefault(given["action"], {})
        elif tag in FIELDS and "name" in given:
            self._fields[given["name"]] = given.get("value", "")


class Browser:
    """One browser with its own cookies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}
        self.attributes: dict[str, str] = {}
        self.http = httpx.Client(trust_env=False, timeout=15)

    def close(self) -> None:
        self.http.close()

    def request(self, method: str, path: str, data: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """One request, without following redirects."""
        url = urljoin(self.url, path)
        ours = url.startswith(self.url)
        if ours and self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = self.http.request(method, url, data=data, headers=headers)
        for line in response.headers.get_list("set-cookie") if ours else []:
            name, _separator, rest = line.partition("=")
            value, _separator, attributes = rest.partition(";")
            self.attributes[name] = attributes.strip()
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return response

    def get(self, path: str) -> httpx.Response:
        """A page, redirects followed."""
        response = self.request("GET", path)
        while response.is_redirect:
            response = self.request("GET", response.headers["Location"])
        return response

    def callback(self) -> str:
        """Begin to log in: the address that the issuer sends back to, which is not visited yet."""
        location = self.request("GET", "/auth/login").headers["Location"]
        return str(self.request("GET", location).headers["Location"])

    def submit(self, page: httpx.Response, action: str, **values: str) -> httpx.Response:
        """Send a form of ``page`` and follow where it leads."""
        form = Forms(page.text).forms[action] | values
        response = self.request("POST", action, form, Origin=self.url)
        return self.get(response.headers["Location"]) if response.is_redirect else response
