# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public names lead to this machine, seen from the host."""

from __future__ import annotations

import ipaddress
import socket
import threading
from dataclasses import dataclass, field
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, hosts_of, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import is_loopback_name

# A machine's resolver may never answer; for a name under .localhost that is no fault.
_PATIENCE = 1.0


def addresses(name: str, patience: float = _PATIENCE) -> set[str]:
    """What the machine's own resolver says, within some seconds; empty when it says nothing."""
    found: set[str] = set()

    def ask() -> None:
        try:
            found.update(str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
        except OSError:
            return

    # getaddrinfo cannot be interrupted, so it is left behind when it does not return.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return set(found)


@dataclass(frozen=True)
class Dns:
    """Each public name, or each of ``names``, is loopback: by the resolver's answer, or by RFC 6761 section 6.3 where
    it is silent.

    Browsers apply that rule themselves. A resolver that answers with another address is a failure:
    some programs would leave the machine.
    """

    targets: ClassVar[frozenset[str]] = HERE
    names: list[str] = field(default_factory=list)

    def run(self, context: Context) -> Observation:
        silent, names = [], self.names or hosts_of(context.contract)
        for name in names:
            found = addresses(name)
            strange = sorted(one for one in found if not ipaddress.ip_address(one.split("%")[0]).is_loopback)
            if strange:
                return failed("NAME_NOT_LOOPBACK", f"{name} resolves to {', '.join(strange)}")
            if not found and not is_loopback_name(name):
                return failed("NAME_NOT_LOOPBACK", f"{name} does not resolve, and is not under .localhost")
            if not found:
                silent.append(name)
        rule = " (RFC 6761; the resolver is silent)" if silent else ""
        return passed(f"{', '.join(names)}: loopback{rule}")
