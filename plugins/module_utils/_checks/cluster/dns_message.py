# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS questions and answers for A records, on the wire (RFC 1035), with TCP's length in front (section 4.2.2)."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

_A, _IN, _RECURSION_DESIRED = 1, 1, 0x0100
RCODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


@dataclass(frozen=True)
class Answer:
    """The response code by name and the IPv4 addresses."""

    code: str
    addresses: tuple[str, ...]


def question(name: str, ident: int = 1) -> bytes:
    """A recursive question for a name's A records, ready for TCP. ValueError for a name that cannot be one."""
    labels = name.rstrip(".").split(".")
    if not all(0 < len(label) < 64 and label.isascii() for label in labels):
        raise ValueError(f"{name!r} is not a DNS name")
    encoded = b"".join(bytes([len(label)]) + label.encode("ascii") for label in labels) + b"\0"
    message = struct.pack(">6H", ident, _RECURSION_DESIRED, 1, 0, 0, 0) + encoded + struct.pack(">2H", _A, _IN)
    return struct.pack(">H", len(message)) + message


def _skip_name(message: bytes, at: int) -> int:
    while True:
        length = message[at]
        if length >= 0xC0:  # a pointer ends a name (section 4.1.4)
            return at + 2
        at += 1 + length
        if not length:
            return at


def answer(message: bytes) -> Answer:
    """Read a response, without TCP's length. ValueError when it is cut short."""
    try:
        _ident, flags, questions, answers, _ns, _extra = struct.unpack_from(">6H", message)
        at = 12
        for _round in range(questions):
            at = _skip_name(message, at) + 4
        addresses = []
        for _round in range(answers):
            at = _skip_name(message, at)
            record, _class, _ttl, length = struct.unpack_from(">2HIH", message, at)
            at += 10
            if record == _A and length == 4:
                addresses.append(str(ipaddress.IPv4Address(message[at : at + length])))
            at += length
        if at > len(message):
            raise IndexError(at)
    except (struct.error, IndexError, ipaddress.AddressValueError) as error:
        raise ValueError("the DNS response is cut short") from error
    return Answer(RCODES.get(flags & 15, f"RCODE {flags & 15}"), tuple(addresses))
