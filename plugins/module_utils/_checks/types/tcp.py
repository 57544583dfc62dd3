# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Something listens."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import loopback_address


@dataclass(frozen=True)
class Tcp:
    """A TCP connection to a loopback host and port opens within ``timeout`` seconds."""

    targets: ClassVar[frozenset[str]] = HERE
    host: str
    port: int
    timeout: float = 2.0

    def __post_init__(self) -> None:
        loopback_address(self.host)

    def run(self, context: Context) -> Observation:
        del context
        where = (loopback_address(self.host), self.port)
        try:
            socket.create_connection(where, self.timeout).close()
        except OSError as error:
            return failed("PORT_CLOSED", f"{self.host}:{self.port}: {error}")
        return passed(f"{self.host}:{self.port} is open")
