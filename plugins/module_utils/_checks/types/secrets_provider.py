# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running process got its secrets from where the contract says: files, or the server with an identity of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.inside import run_inside
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer, user_token
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx

_REASON = "SECRETS_PROVIDER_DRIFT"
_PATIENCE = 20.0
# A token where there is a cluster that issues them, else a client secret.
_METHODS = {"compose": "universal"}


@dataclass(frozen=True)
class SecretsProvider:
    """What the process tells of who gave it its secrets.

    It tells ``user``, who logged in through ``client``, at ``url``; one without an API tells it on loopback, so that ``command``
    prints it in its own container. What is configured is not asked: the answer is of what was read when the process started.
    """

    targets: ClassVar[frozenset[str]] = HERE
    component: str
    url: str = ""
    user: str = ""
    client: str = ""
    command: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.command) or (self.url and not (self.user and self.client)):
            raise ValueError("either url, user and client, or command says who tells it")

    def run(self, context: Context) -> Observation:
        try:
            told = self._told(context)
            provider, server, method, read = (told[key] for key in ("provider", "server", "method", "read"))
            names = {str(name) for name in read}
        except httpx.TransportError as error:
            return failed("HTTP_UNREACHABLE", f"{self.url}: {type(error).__name__}: {error}")
        except (ValueError, KeyError, TypeError):
            return failed(_REASON, f"the process of {self.component} has no word of who gave it its secrets")
        service = context.service(self.component)
        wanted = ("files", "", "")
        if "identity" in service:
            wanted = ("infisical", service["identity"], _METHODS.get(context.target, "oidc"))
        if (provider, server, method) != wanted:
            seen, said = (" ".join(filter(None, map(str, each))) for each in ((provider, server, method), wanted))
            return failed(_REASON, f"the process of {self.component} has its secrets from {seen}, the contract says {said}")
        if strange := sorted(names - set(service.get("secrets") or {})):
            return failed(_REASON, f"the process of {self.component} read {', '.join(strange)}, which the contract does not give it")
        if not names:
            return failed(_REASON, f"the process of {self.component} read no secret")
        return passed(f"the process of {self.component} read {len(names)} secrets from {' '.join(filter(None, wanted))}")

    def _told(self, context: Context) -> Mapping[str, Any]:
        """Raises ValueError, KeyError and TypeError for another answer."""
        if self.command:
            _where, done = run_inside(context, self.component, self.command, _PATIENCE)
            return dict(json.loads(done.stdout if done.rc == 0 else ""))
        answer = context.http.get(self.url, headers=bearer(user_token(context, self.user, self.client)))
        return dict(answer.json()["secrets_from"] if answer.status_code == 200 else {})
