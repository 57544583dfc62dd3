"""A project with two epochs, and what somebody who lies can make of its envelopes and records.

Epoch 1 has Alice and Bob, epoch 2 Alice and Carol: Bob was removed. Mallory was never a member.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from joserfc.jwk import ECKey

from gpuaas.encryption import epoch, keys, strict, tenant
from gpuaas.encryption.binding import Binding, DataClass
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.refusal import Kind, Reason, RefusedError

ENVIRONMENT, PROJECT = "local", "atlas"
PLAINTEXT = '{"start_script":"train.py --name größe-𐐀"}'.encode()
BINDING = Binding(ENVIRONMENT, DataClass.TENANT, PROJECT, "5d1c3f0e-8a5e-4c53-9a53-1a4f2f3f6f01", "instance.private", 1)
OTHERS: dict[str, Any] = {
    "environment": "staging",
    "data_class": DataClass.PLATFORM,
    "project": "borealis",
    "event_id": "5d1c3f0e-8a5e-4c53-9a53-1a4f2f3f6f02",
    "type": "instance.output",
    "schema_version": 2,
}


@dataclass(frozen=True)
class Served:
    """What a server sends to a reader, who has ``key``, trusts ``pin`` and asked for ``expected``."""

    envelope: str
    records: tuple[str, ...]
    key: ECKey
    pin: tuple[int, str]
    binding: Binding = BINDING
    author: str | None = None
    oldest_epoch: int | None = None

    def opened(self) -> bytes:
        """What the reader gets. Raises RefusedError."""
        pin = epoch.Pin(*self.pin)
        chain = epoch.Chain.verified(ENVIRONMENT, PROJECT, self.records, pin)
        expected = tenant.Expected(self.binding, self.author, self.oldest_epoch)
        return tenant.check(self.envelope, expected, chain).open_with(chain.unlock(self.key))

    def refused(self) -> Reason | None:
        """The name under which the reader refuses it."""
        try:
            self.opened()
        except RefusedError as error:
            return error.reason
        return None


class World:
    """The members, their epochs, and an envelope of Alice's."""

    def __init__(self) -> None:
        self.alice, self.bob, self.carol, self.mallory = (
            MemberKey.generate(ENVIRONMENT, name) for name in ("alice", "bob", "carol", "mallory")
        )
        self.recovery = keys.generate()
        self.first = epoch.Chain.begin(self.alice, PROJECT, [self.bob.public], self.recovery)
        self.held = self.first.unlock(self.alice.agree)
        self.chain = self.first.rotated(self.alice, [self.alice.public, self.carol.public], self.recovery, self.held)
        self.envelope = self.seal()
        self.served = Served(self.envelope, self.records(), self.carol.agree, self.pin(1))

    def seal(self, binding: Binding = BINDING, by: MemberKey | None = None, under: int = 2) -> str:
        return tenant.seal(PLAINTEXT, binding, by or self.alice, self.chain.epochs[under - 1])

    def records(self) -> tuple[str, ...]:
        return tuple(each.record for each in self.chain.epochs)

    def pin(self, number: int) -> tuple[int, str]:
        pin = self.chain.epochs[number - 1].pin
        return pin.number, pin.digest


def signed(payload: bytes, header: Mapping[str, object] | bytes, key: ECKey) -> str:
    """A JWS that no library would make: any header, any payload, signed all the same."""
    encoded = strict.encode(header if isinstance(header, bytes) else strict.canonical(dict(header)))
    text = f"{encoded}.{strict.encode(payload)}"
    private = key.private_key
    assert private is not None
    numbers = utils.decode_dss_signature(private.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{strict.encode(b''.join(number.to_bytes(32, 'big') for number in numbers))}"


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and payload of a JWS."""
    header, payload, _signature = text.split(".")
    return json.loads(strict.decode(header, Kind.ENVELOPE)), json.loads(strict.decode(payload, Kind.ENVELOPE))


def forged(
    text: str,
    by: MemberKey,
    payload: Callable[[dict[str, Any]], object] = lambda _document: None,
    header: Callable[[dict[str, Any]], object] = lambda _header: None,
) -> str:
    """``text`` with its JWS header and its payload changed in place, signed by ``by``."""
    its_header, document = parts(text)
    payload(document)
    header(its_header)
    return signed(strict.canonical(document), its_header, by.sign)


def protected(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], None]:
    """Changes the protected header of a JWE in place."""

    def changed(document: dict[str, Any]) -> None:
        header = json.loads(strict.decode(document["protected"], Kind.ENVELOPE))
        change(header)
        document["protected"] = strict.encode(strict.canonical(header))

    return changed


def bound(**changes: object) -> Callable[[dict[str, Any]], None]:
    """Changes what a JWE says that it is bound to."""
    return protected(lambda header: header["gpuaas"].update(changes))


def other(name: str) -> Binding:
    """What was sealed, with another value of one of its names."""
    return replace(BINDING, **{name: OTHERS[name]})
