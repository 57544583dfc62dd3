# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a shared mode can be judged by reading its public endpoints, and the one look at it."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.engine import Engine, State
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.http import Http
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.oidc_discovery import OidcDiscovery
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.token_refused import TokenRefused
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import Check, Context, Kind, Result
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.project import Project, no_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.tokens import Tokens
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._shared.certificate import Certificate
from ansible_collections.gpuaas.parity.plugins.module_utils._shared.reading import Address, parse_address, reading_client, trust

_ISSUER = "GPUAAS_OIDC_ISSUER"
# The list of the caller's instances: reading it needs a token, so nobody may have it without.
_PROTECTED = "/v1/instances"
_KNOCK_SECONDS = 5.0
# Failures for which a wrong address or CA file is the likely cause.
_OURS_TO_CHECK = ("TLS_INVALID", "HTTP_UNREACHABLE")


@dataclass(frozen=True)
class Shared:
    """A shared mode: its rendered contract, where its ingress listens, and the CA file (empty: the system's)."""

    contract: dict[str, Any]
    address: str
    ca_file: str = ""

    @property
    def mode(self) -> str:
        return str(self.contract.get("mode"))


def look(shared: Shared, state_dir: Path) -> list[Result]:
    """Make every check once, all at the same time, each of them a read.

    Raises ParityError ``MODE_NO_ENDPOINT``, ``TLS_INVALID``, ``CHECK_MISSING``, and ``HTTP_UNREACHABLE`` when nobody
    is at the address: all before anything is sent.
    """
    address = parse_address(shared.address, shared.mode)
    context = trust(shared.ca_file or None)
    checks = checks_of(shared.contract, address, context)
    _knock(shared, address)
    hosts = {str(endpoint["host"]) for endpoint in shared.contract["endpoints"].values()}
    with reading_client(address, hosts, context) as http:
        given = _context(shared.contract, state_dir, http)
        results = Engine(lambda: given, time.monotonic, _silent).run(checks, 0)
    for result in results:
        if not result.ok:
            result.do = _advice(result.reason, shared, address)
    return results


def _knock(shared: Shared, address: Address) -> None:
    """Whether somebody listens, said once and not by every check."""
    try:
        socket.create_connection((address.host, address.port), _KNOCK_SECONDS).close()
    except OSError as error:
        seen = f"nobody answers at {address}: {error}"
        raise ParityError("HTTP_UNREACHABLE", seen, _advice("HTTP_UNREACHABLE", shared, address)) from error


def checks_of(contract: dict[str, Any], address: Address, context: ssl.SSLContext) -> list[Check]:
    """The checks of a contract: certificate and health of every endpoint, the issuer, the refusal without a token.

    Raises ParityError ``CHECK_MISSING`` when the contract names no endpoint, no API or no issuer.
    """
    endpoints, services = contract["endpoints"], contract["services"]
    issuers = sorted({str(service["settings"][_ISSUER]) for service in services.values() if _ISSUER in service["settings"]})
    if "api" not in endpoints or not issuers:
        raise ParityError("CHECK_MISSING", f"the contract names no endpoint api, or no {_ISSUER}: nothing could be proved")

    def check(name: str, component: str, proves: str, kind: str, body: Kind) -> Check:
        return Check(name, component, proves, "validate", kind, body)

    checks: list[Check] = []
    for name, endpoint in endpoints.items():
        service, host = str(endpoint["service"]), str(endpoint["host"])
        checks.append(check(f"{name}-certificate", service, "security", "tls", Certificate(host, address, context)))
        checks.append(check(f"{name}-health", service, "ingress", "http", Http(url=f"{endpoint['url']}{endpoint['health']}", timeout=5.0)))
    for issuer in issuers:
        name = "issuer" if len(issuers) == 1 else f"issuer {issuer}"
        checks.append(check(name, "platform", "function", "oidc_discovery", OidcDiscovery(issuer)))
    refused = TokenRefused(url=f"{endpoints['api']['url']}{_PROTECTED}", case="missing", code="token_missing")
    checks.append(check("api-refuses-no-token", str(endpoints["api"]["service"]), "security", "token_refused", refused))
    return checks


def _context(contract: dict[str, Any], state_dir: Path, http: httpx.Client) -> Context:
    """A context that has the way to the endpoints and nothing else: no cluster, no project, no secrets."""
    docker = Docker()
    return Context(
        contract=contract,
        realm={},
        state_dir=state_dir,
        snapshot=no_cluster(),
        project=Project(docker, ""),
        http=http,
        docker=docker,
        tokens=Tokens(time.monotonic),
        secret=_no_secret,
        clock=time.monotonic,
        sleep=time.sleep,
        node="",
        renew=no_cluster,
    )


def _no_secret(name: str) -> str:
    raise KeyError(name)


def _silent(_states: Sequence[State], _elapsed: float) -> None:
    """One look of a few seconds needs no sign of life."""


def _advice(reason: str, shared: Shared, address: Address) -> str:
    tell = f"tell whoever runs {shared.mode}; nothing was changed from here"
    if reason not in _OURS_TO_CHECK:
        return tell
    ca = shared.ca_file or "not given, so the system's"
    return f"make sure that parity_address ({address}) and parity_ca_file ({ca}) are those of {shared.mode}, else {tell}"
