"""The SDK's client with what it lacks: bounds, our CA alone, and nothing from the environment."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import requests
from infisical_sdk import InfisicalSDKClient
from infisical_sdk.infisical_requests import APIError, InfisicalError
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

__all__ = ["MALFORMED", "APIError", "UnreachableError", "connect"]

CONNECT_SECONDS = 2.0
READ_SECONDS = 3.0
# What the SDK raises, or stumbles over, when an answer is not what it expects.
MALFORMED = (InfisicalError, requests.RequestException, AttributeError, KeyError, TypeError, ValueError)


class UnreachableError(Exception):
    """No answer after all attempts; says what kind of failure it was."""


def connect(server: str, ca_file: Path) -> InfisicalSDKClient:
    """A client that is not logged in yet; it asks nothing by itself."""
    # One line, and it is ours.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    client = InfisicalSDKClient(host=server, cache_ttl=None)
    session = client.api.session
    session.verify = str(ca_file)
    # No proxy, netrc or CA bundle of the environment; no credentials to where a redirect leads.
    session.trust_env = False
    session.max_redirects = 0
    # A handful of requests at the start of a process; no connection is left after them.
    session.headers["Connection"] = "close"
    session.mount("https://", _Bounded(max_retries=_retries()))
    return client


def _retries() -> Retry:
    return Retry(
        total=2,
        backoff_factor=0.2,
        status_forcelist=(502, 503, 504),
        allowed_methods=None,
        raise_on_status=False,
        respect_retry_after_header=False,
    )


class _Bounded(HTTPAdapter):
    """Timeouts, which the SDK does not set; and no retries of its own, which sleep for 15 seconds."""

    def send(self, request: requests.PreparedRequest, *args: Any, **given: Any) -> requests.Response:
        given["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
        try:
            response = super().send(request, *args, **given)
            # Read here, so that a connection that breaks in the middle ends here too.
            len(response.content)
        except OSError as error:
            raise UnreachableError(type(error).__name__) from None
        return response
