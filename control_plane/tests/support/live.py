"""The live connection of a page, as a browser has it: it listens, and says nothing unless told to."""

from __future__ import annotations

import json
import select
import socket
import threading
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from support.browser import Browser
from support.processes import wait_for


def cookies(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def address(url: str, **query: object) -> str:
    return f"{url.replace('http', 'ws', 1)}/live?{urlencode(query)}"


class Live:
    """What came, and how it was closed: code and reason."""

    def __init__(self, browser: Browser, origin: str | None = None, **query: object) -> None:
        self.messages: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self._stack = ExitStack()
        opened = connect(
            address(browser.url, **query),
            origin=Origin(origin or browser.url),
            additional_headers={"Cookie": cookies(browser)},
            proxy=None,
            max_size=None,
            ping_interval=None,
        )
        self.socket = self._stack.enter_context(opened)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for message in self.socket:
                self.messages.append(json.loads(message))
        except ConnectionClosed:
            pass
        self.closed = self.socket.close_code or 0, self.socket.close_reason or ""

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["kind"] == kind]

    @property
    def positions(self) -> list[int]:
        return [entry["position"] for message in self.of("entries") for entry in message["items"]]

    def begun(self) -> Live:
        wait_for(lambda: bool(self.of("begins")) or self.closed is not None, "the beginning", 15)
        assert self.closed is None, self.closed
        return self

    def ended(self) -> tuple[int, str]:
        wait_for(lambda: self.closed is not None, "the end", 15)
        assert self.closed is not None
        return self.closed

    def close(self) -> None:
        self._stack.close()
        self._thread.join()


class Deaf:
    """A client that shakes hands and never reads again."""

    def __init__(self, browser: Browser, **query: object) -> None:
        place = urlsplit(browser.url)
        assert place.hostname
        assert place.port
        self._socket = socket.socket()
        # Before the window is told to the other side.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect((place.hostname, place.port))
        lines = [
            f"GET /live?{urlencode(query)} HTTP/1.1",
            f"Host: {place.netloc}",
            f"Origin: {browser.url}",
            f"Cookie: {cookies(browser)}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        assert self._socket.recv(12) == b"HTTP/1.1 101"

    def dropped(self, seconds: float) -> bool:
        """Whether the other side hangs up within so many seconds; nothing is read to find out."""
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return bool(poll.poll(seconds * 1000))

    def close(self) -> None:
        self._socket.close()
