"""Ports on loopback for servers that are told theirs before they start."""

from __future__ import annotations

import itertools
import os
import socket

# Below those that the kernel gives to whoever connects or asks for any: net.ipv4.ip_local_port_range begins at 32768.
_FIRST, _LAST = 20000, 32000


def _of_this_process() -> range:
    """Each worker of pytest-xdist has its own; so what one is about to listen on is not given to another."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    each = (_LAST - _FIRST) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return range(_FIRST + worker * each, _FIRST + (worker + 1) * each)


_PORTS = _of_this_process()
# Another run of the tests begins elsewhere.
_NEXT = itertools.cycle([*_PORTS[os.getpid() % len(_PORTS) :], *_PORTS[: os.getpid() % len(_PORTS)]])


def free_port() -> int:
    """A port that nobody listens on, and that was not given out for a long time."""
    for port in _NEXT:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("unreachable: the ports are a cycle")
