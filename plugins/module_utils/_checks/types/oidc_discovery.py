# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One issuer: in the contract, in what it says of itself, and for whoever talks to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.inside import run_inside, said
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import EVERYWHERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import discovery
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint")
_SECONDS = 15.0


@dataclass(frozen=True)
class OidcDiscovery:
    """The discovery document at ``issuer`` names that issuer itself (OpenID Connect Discovery 1.0 section 4.3), and every
    endpoint in it is below the same origin.

    It is read from this machine, or with ``fetch`` from where the component runs: a command that prints the document
    of the issuer that the component is configured with, over a fresh connection.
    """

    targets: ClassVar[frozenset[str]] = EVERYWHERE
    component: str
    issuer: str
    fetch: list[str] = field(default_factory=list)

    def run(self, context: Context) -> Observation:
        document = self._inside(context) if self.fetch else discovery(context.http, self.issuer)
        where = f"for {self.component}" if self.fetch else "on this machine"
        if document.get("issuer") != self.issuer:
            return failed("ISSUER_MISMATCH", f"{where} the issuer is {document.get('issuer')!r}, not {self.issuer}")
        for name in _ENDPOINTS:
            if not str(document.get(name)).startswith(f"{self.issuer}/"):
                return failed("ISSUER_MISMATCH", f"{where} {name} is {document.get(name)!r}, not below {self.issuer}")
        return passed(f"{where} the issuer is {self.issuer}")

    def _inside(self, context: Context) -> dict[str, Any]:
        where, done = run_inside(context, self.component, self.fetch, _SECONDS)
        try:
            document = json.loads(done.stdout) if done.rc == 0 else None
        except ValueError:
            document = None
        if not isinstance(document, dict):
            seen = f"{self.fetch[0]} in {where} ended with {done.rc} and printed no discovery document: {said(context, done)}"
            raise ParityError("EXEC_FAILED", seen, f"{{logs}} COMPONENT={self.component}")
        return document
