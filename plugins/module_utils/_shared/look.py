# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one look at a shared mode: what of it can be judged by reading its public endpoints."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import Engine, State
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import SHARED, Check, Context, Result, hosts_of, target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import no_drift, no_pod
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.tokens import Tokens
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project, no_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._shared.reading import Address, parse_address, reading_client, trust

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


def look(shared: Shared, checks: Sequence[Check], state_dir: Path) -> list[Result]:
    """Make every check once, all at the same time, each of them a read.

    Raises ParityError ``MODE_TARGET_REFUSED``, ``MODE_NO_ENDPOINT``, ``TLS_INVALID``, ``CHECK_MISSING``, and
    ``HTTP_UNREACHABLE`` when nobody is at the address: all before anything is sent.
    """
    if target_of(shared.contract) not in SHARED:
        raise ParityError("MODE_TARGET_REFUSED", f"the mode {shared.mode} runs on this machine, and is validated with all its checks")
    address = parse_address(shared.address, shared.mode)
    given_trust = trust(shared.ca_file or None)
    hosts = set(hosts_of(shared.contract))
    if not hosts or not checks:
        raise ParityError("CHECK_MISSING", f"the contract of {shared.mode} names no endpoint, or no check holds on shared")
    _knock(shared, address)
    with reading_client(address, hosts, given_trust) as http:
        given = _context(shared.contract, state_dir, http, address, given_trust)
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


def _context(contract: dict[str, Any], state_dir: Path, http: httpx.Client, address: Address, given: ssl.SSLContext) -> Context:
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
        reach=lambda _host, _port: (address.host, address.port),
        trust=lambda: given,
        in_pod=no_pod,
        drift=no_drift,
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
