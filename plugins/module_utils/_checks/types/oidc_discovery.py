# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One issuer: in the contract, in what Keycloak says of itself, and in what the services are told."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import discovery
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.configuration import settings_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.container_configuration import told

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint")


@dataclass(frozen=True)
class OidcDiscovery:
    """The discovery document at ``issuer`` names that issuer itself (OpenID Connect Discovery 1.0 section 4.3),
    every endpoint in it is below the same origin, and what runs of ``services``, pods or containers, is
    configured with it under the setting ``setting``.
    """

    issuer: str
    services: list[str] = field(default_factory=list)
    setting: str = "GPUAAS_OIDC_ISSUER"

    def run(self, context: Context) -> Observation:
        document = discovery(context.http, self.issuer)
        if document.get("issuer") != self.issuer:
            return failed("ISSUER_MISMATCH", f"{self.issuer} calls itself {document.get('issuer')!r}")
        for name in _ENDPOINTS:
            if not str(document.get(name)).startswith(f"{self.issuer}/"):
                return failed("ISSUER_MISMATCH", f"{name} is {document.get(name)!r}, not below {self.issuer}")
        for service in self.services:
            found = self._told(context, service)
            if found != {self.issuer}:
                seen = ", ".join(sorted(str(one) for one in found)) or "nothing"
                return failed("ISSUER_MISMATCH", f"{service} is told {seen}, not {self.issuer}")
        return passed(f"{self.issuer} outside, and inside in {', '.join(self.services) or 'no service'}")

    def _told(self, context: Context, service: str) -> set[str | None]:
        if context.target == "compose":
            return told(context, service, self.setting)
        namespace = str(context.service(service)["namespace"])
        pods = context.snapshot.pods(namespace, {"app.kubernetes.io/name": service})
        return {data.get(self.setting) for data in settings_of(context.snapshot, namespace, service, pods).values()}
