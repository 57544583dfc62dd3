"""The console from a browser's side, with a real API, real stores and a real code flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import httpx
import pytest

from support.browser import Browser
from support.courier import Courier
from support.serving import served


@pytest.fixture
def web(start_web: Callable[..., str]) -> str:
    return start_web()


@pytest.fixture
def open_browser() -> Iterator[Callable[[str], Browser]]:
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(closing(Browser(url)))


@pytest.fixture
def browser(web: str, open_browser: Callable[[str], Browser]) -> Browser:
    return open_browser(web)


@pytest.fixture
def courier(api: httpx.Client) -> Iterator[tuple[Courier, str]]:
    """Something between console and API, and its URL."""
    between = Courier(str(api.base_url).rstrip("/"))
    with served(between.app()) as url:
        yield between, url
