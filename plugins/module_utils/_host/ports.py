# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens on a port of this machine, from /proc/net/tcp and /proc/<pid>/fd (proc(5))."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._host.engine import Engine
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import command_line

_LISTEN = "0A"
# ansible-test checks module_utils for Python 3.9, on which no module of this collection runs.
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address  # pylint: disable=unsupported-binary-operation


@dataclass(frozen=True)
class Listener:
    """A listening socket; ``inode`` leads to the process that has it open."""

    address: _Address
    port: int
    inode: int


def listeners(system: System) -> list[Listener]:
    """Every listening TCP socket of this network namespace."""
    return [*_table(system.text("/proc/net/tcp")), *_table(system.text("/proc/net/tcp6"))]


def in_the_way(found: Listener | _Address, listen: str) -> bool:
    """Whether a socket at that address keeps another from listening at ``listen``."""
    held = found.address if isinstance(found, Listener) else found
    if isinstance(held, ipaddress.IPv6Address) and held.ipv4_mapped:
        held = held.ipv4_mapped
    wanted = ipaddress.ip_address(listen)
    return held.is_unspecified or wanted.is_unspecified or held == wanted


def port_owner(system: System, engine: Engine, port: int, listen: str, cluster: str) -> str:
    """What holds ``listen:port``, in words; empty when it is free or held by a node of ``cluster``."""
    for published in engine.published:
        if published.port == port and in_the_way(ipaddress.ip_address(published.address), listen):
            ours = published.cluster == cluster
            return "" if ours else f"container {published.container}"
    for found in listeners(system):
        if found.port == port and in_the_way(found, listen):
            return _process(system, found.inode) or "a process that cannot be seen from here (`sudo ss -ltnp` may tell)"
    return ""


def _table(text: str) -> Iterator[Listener]:
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 10 or words[3] != _LISTEN:
            continue
        address, _separator, port = words[1].partition(":")
        yield Listener(_address(address), int(port, 16), int(words[9]))


def _address(text: str) -> _Address:
    """The kernel prints 32-bit words in host byte order."""
    words = [int(text[i : i + 8], 16).to_bytes(4, sys.byteorder) for i in range(0, len(text), 8)]
    raw = b"".join(words)
    return ipaddress.IPv4Address(raw) if len(raw) == 4 else ipaddress.IPv6Address(raw)


def _process(system: System, inode: int) -> str:
    """The process that has the socket open: `pid 12 (nginx: master)`."""
    proc = system.root / "proc"
    wanted = f"socket:[{inode}]"
    for directory in proc.glob("[0-9]*"):
        try:
            if any(str(entry.readlink()) == wanted for entry in (directory / "fd").iterdir()):
                said = command_line(int(directory.name), proc)
                return f"process {directory.name} ({said[:80]})"
        except OSError:
            continue
    return ""
