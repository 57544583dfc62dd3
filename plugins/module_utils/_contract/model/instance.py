# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several platforms on one machine: what an instance's name makes of names, domains and ports.

The empty name is the one platform that most machines have; it changes nothing.
"""

from __future__ import annotations

import hashlib
import re

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# One label of a host name (RFC 1123), short enough for the names that are made of it.
_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,18}[a-z0-9])?")
# Below the range that the kernel hands out to clients (ip_local_port_range, 32768 by default).
_FIRST, _BLOCKS, _BLOCK = 20000, 600, 20


def check_instance(instance: str) -> None:
    """Raise ParityError INSTANCE_INVALID for what cannot be part of a host name."""
    if instance and not _LABEL.fullmatch(instance):
        seen = f"INSTANCE={instance!r} is no DNS label of at most 20 characters: a-z, 0-9 and -, a letter first"
        raise ParityError("INSTANCE_INVALID", seen)


def named(name: str, instance: str) -> str:
    """The name of a cluster or a project of an instance."""
    return f"{name}-{instance}" if name and instance else name


def domain_of(domain: str, instance: str) -> str:
    """The domain that an instance's host names are below."""
    return f"{instance}.{domain}" if instance else domain


def public_port(port: int, target: str, instance: str) -> int:
    """The public port of an instance: one of each target can be up at a time."""
    return port_of(port, instance, {"kubernetes": 0, "compose": 1}[target]) if instance else port


def port_of(port: int, instance: str, offset: int) -> int:
    """The port that stands for ``port`` in an instance: in a block of twenty that its name alone decides.

    ``offset`` is 0 to 19. Two names can fall on one block; the second one is refused when its port is in use.
    """
    if not instance:
        return port
    block = int.from_bytes(hashlib.sha256(instance.encode()).digest()[:8]) % _BLOCKS
    return _FIRST + block * _BLOCK + offset
