# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Keycloak whose database restarted is not there for a while, although it was ready a moment ago."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.wait_report import WaitReport

LOGIN_PATH = "/realms/master/protocol/openid-connect/token"
"""Where realm master hands out tokens."""

_PAUSE = 0.2
"""Seconds between two requests: each one that fails with 500 takes a cut connection out of Keycloak's pool."""


def is_absent(response: httpx.Response) -> bool:
    """Whether an ingress answers that has no Keycloak behind it: Keycloak's own errors are JSON."""
    kind = response.headers.get("content-type", "")
    return response.status_code in (502, 503, 504) or (response.status_code == 404 and kind.startswith("text/plain"))


@dataclass(frozen=True)
class Patient:
    """An HTTP client that asks again, for ``seconds`` in all, where that has no other effect.

    ``emit`` is told of the wait.
    """

    http: httpx.Client
    seconds: float
    emit: Emit

    @property
    def base_url(self) -> httpx.URL:
        return self.http.base_url

    def request(self, method: str, url: str, **parts: Any) -> httpx.Response:
        """The answer, or the last one of several. Raises httpx.TransportError."""
        began = time.monotonic()
        report = WaitReport(self.emit, "Keycloak", self.seconds)
        while True:
            response = self.http.request(method, url, **parts)
            broken = response.status_code == 500 or is_absent(response)
            if not broken or not _may_repeat(method, url) or time.monotonic() - began >= self.seconds:
                return response
            report.at(time.monotonic() - began, f"it answers {response.status_code}")
            time.sleep(_PAUSE)


def _may_repeat(method: str, url: str) -> bool:
    """RFC 9110 section 9.2.2; a login that is repeated makes one token more."""
    return method != "POST" or url == LOGIN_PATH
