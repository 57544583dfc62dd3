"""Log-ins that were begun: kept by the browsers that began them, so that they cost nothing here.

Each attempt is a cookie that only we can read, named and sealed for its state:
it is no use in another browser, for another state, or after its time.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from gpuaas.web.sealing import Sealer

ATTEMPT_SECONDS = 600
# Tabs of one browser that log in at the same time; the oldest make room.
MAX_ATTEMPTS = 5
_PREFIX = "__Host-login-"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the end of a log-in is checked against."""

    nonce: str
    verifier: str


class Attempts:
    """The attempts of the browser that sends a request."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key, "attempt")

    def keep(self, request: Request, response: Response, state: str, attempt: Attempt) -> None:
        """Give an attempt to the browser."""
        # RFC 6265, section 5.4: cookies that were created earlier come first.
        others = [name for name in request.cookies if name.startswith(_PREFIX)]
        for name in others[: max(0, len(others) + 1 - MAX_ATTEMPTS)]:
            _forget(response, name)
        text = json.dumps([attempt.nonce, attempt.verifier, time.time() + ATTEMPT_SECONDS])
        response.set_cookie(
            _name(state),
            self._sealer.seal(text, state),
            max_age=ATTEMPT_SECONDS,
            path="/",
            secure=True,
            httponly=True,
            # The identity provider sends the browser back from another site.
            samesite="lax",
        )

    def of(self, request: Request, state: str) -> Attempt | None:
        """The attempt of ``state``, when this browser began it and it is not too old."""
        text = self._sealer.open(request.cookies.get(_name(state), ""), state)
        if text is None:
            return None
        nonce, verifier, until = json.loads(text)
        return Attempt(nonce, verifier) if time.time() < until else None

    def forget(self, response: Response, state: str) -> None:
        """Take it back."""
        _forget(response, _name(state))


def _name(state: str) -> str:
    return f"{_PREFIX}{hashlib.sha256(state.encode()).hexdigest()[:16]}"


def _forget(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
