"""Epochs of a project: who is a member, and the key that its records are sealed to.

An epoch is a pair of keys on P-256. Its record has the public half, and the private half sealed for each member and for
the recovery key; a member of the epoch before signed it, and it names the hash of that one's record. So who knows the
hash of one record, its pin, knows who may write and read ever after, whatever the server says. Whoever leaves is not in
the next epoch. The private half of the epoch before lies in each record, sealed to its own key: who joins reads what was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from joserfc.jwk import ECKey

from gpuaas.encryption import jwe, jws, keys, strict
from gpuaas.encryption.member import Member, MemberKey
from gpuaas.encryption.refusal import Kind, Reason, RefusedError, refused

MOST_MEMBERS = jwe.MOST_RECIPIENTS - 1  # One place is the recovery key's.
LONGEST_RECORD = 256 * 1024
_RECORD = {"environment", "project", "number", "previous", "key", "members", "recovery", "private", "before"}


@dataclass(frozen=True, slots=True)
class Pin:
    """The epoch that a reader has seen and trusts: its number, and the hash of its record."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Epoch:
    """One record, as it was proven to be."""

    number: int
    key: ECKey
    members: Mapping[str, Member]
    recovery: ECKey | None
    private: jwe.Sealed
    before: jwe.Sealed | None
    record: str

    @property
    def kid(self) -> str:
        return keys.kid(self.key)

    @property
    def pin(self) -> Pin:
        return Pin(self.number, digest(self.record))

    def __repr__(self) -> str:
        return f"Epoch({self.number}, {self.kid})"


@dataclass(frozen=True, slots=True)
class Chain:
    """The epochs of a project from the first to the newest, each proven by the one before it."""

    environment: str
    project: str
    epochs: tuple[Epoch, ...]

    @classmethod
    def begin(cls, key: MemberKey, project: str, others: Sequence[Member] = (), recovery: ECKey | None = None) -> Self:
        """The first epoch, with its founder and ``others`` as members."""
        empty = cls(key.environment, project, ())
        return empty.extended(empty._record(key, (key.public, *others), recovery, None))

    @classmethod
    def verified(cls, environment: str, project: str, records: Sequence[str], pin: Pin) -> Self:
        """The chain that ``records`` are, which goes through ``pin``. Raises RefusedError."""
        chain = cls(environment, project, ())
        for record in records:
            chain = chain.extended(record)
        return chain.through(pin)

    def through(self, pin: Pin) -> Self:
        """The same, which goes through ``pin``. Raises RefusedError."""
        if len(self.epochs) < pin.number:
            raise RefusedError(
                Reason.EPOCH_ROLLED_BACK, f"the newest epoch is {len(self.epochs)}, and {pin.number} was seen before"
            )
        if self.epochs[pin.number - 1].pin != pin:
            raise RefusedError(Reason.EPOCH_PIN, f"epoch {pin.number} is not the one that is pinned")
        return self

    @property
    def current(self) -> Epoch:
        return self.epochs[-1]

    def epoch(self, number: object, kid: object) -> Epoch:
        """The epoch of that number, if it has that key. Raises RefusedError."""
        if not isinstance(number, int) or not 1 <= number <= len(self.epochs):
            raise RefusedError(Reason.ENVELOPE_EPOCH_UNKNOWN, f"the project has {len(self.epochs)} epochs")
        found = self.epochs[number - 1]
        if kid != found.kid:
            raise RefusedError(
                Reason.ENVELOPE_EPOCH_KEY, f"the envelope is for another key than that of epoch {number}"
            )
        return found

    def rotated(
        self, key: MemberKey, members: Sequence[Member], recovery: ECKey | None, held: Mapping[str, ECKey]
    ) -> Self:
        """The chain with one epoch more; ``held`` are the keys that ``unlock`` gave. Raises RefusedError."""
        return self.extended(self._record(key, members, recovery, held[self.current.kid]))

    def unlock(self, held: ECKey) -> dict[str, ECKey]:
        """The private keys of all epochs by their thumbprints, for who may read the newest. Raises RefusedError."""
        opened: dict[str, ECKey] = {}
        sealed, opener = self.current.private, {keys.kid(held): held}
        for epoch in reversed(self.epochs):
            key = keys.read_private(strict.read(jwe.open_with(sealed, opener), Kind.EPOCH), Kind.EPOCH)
            if keys.kid(key) != epoch.kid:
                raise RefusedError(Reason.EPOCH_KEY, f"epoch {epoch.number} has a private key that is not its own")
            opened[epoch.kid] = key
            if epoch.before is None:
                break
            sealed, opener = epoch.before, {epoch.kid: key}
        return opened

    def extended(self, record: str) -> Self:
        """The chain with ``record``, if it goes on from there. Raises RefusedError."""
        signed = jws.read(Kind.EPOCH, record, LONGEST_RECORD)
        given = strict.read(signed.payload, Kind.EPOCH)
        if given.keys() != _RECORD:
            raise refused(Kind.EPOCH, "malformed", "has other members than a record should")
        number = len(self.epochs) + 1
        if given["environment"] != self.environment:
            raise RefusedError(Reason.EPOCH_ENVIRONMENT, f"the record is not of environment {self.environment}")
        if given["project"] != self.project:
            raise RefusedError(Reason.EPOCH_PROJECT, f"the record is not of project {self.project}")
        previous = digest(self.epochs[-1].record) if self.epochs else None
        if given["number"] != number or given["previous"] != previous:
            raise RefusedError(Reason.EPOCH_CHAIN, f"the record does not follow on epoch {number - 1}")
        epoch = self._read(given, number, record)
        signers = (self.epochs[-1] if self.epochs else epoch).members
        if signed.signer not in signers:
            raise RefusedError(Reason.EPOCH_SIGNER, f"epoch {number} is signed by nobody who was a member")
        jws.verify(signed, signers[signed.signer].sign)
        return type(self)(self.environment, self.project, (*self.epochs, epoch))

    def _read(self, given: dict[str, object], number: int, record: str) -> Epoch:
        if not isinstance(given["members"], list) or not 1 <= len(given["members"]) <= MOST_MEMBERS:
            raise refused(Kind.EPOCH, "malformed", "has no members, or too many")
        members = [Member.of(each) for each in given["members"]]
        recovery = None if given["recovery"] is None else keys.read_public(given["recovery"], Kind.EPOCH)
        key = keys.read_public(given["key"], Kind.EPOCH)
        epoch = Epoch(
            number=number,
            key=key,
            members={member.kid: member for member in members},
            recovery=recovery,
            private=_sealed(given["private"]),
            before=None if given["before"] is None else _sealed(given["before"]),
            record=record,
        )
        readers = set(_readers(members, recovery))
        if epoch.kid in readers | {before.kid for before in self.epochs}:
            raise RefusedError(Reason.EPOCH_KEY, f"epoch {number} has a key that is another's, or was used before")
        if len(epoch.members) != len(members) or (epoch.before is None) != (number == 1):
            raise refused(Kind.EPOCH, "malformed", "names a member twice, or lacks the key before")
        if set(epoch.private.readers) != readers:
            raise RefusedError(Reason.EPOCH_RECIPIENT, f"epoch {number} is not sealed for exactly its members")
        if epoch.before is not None and epoch.before.readers != (epoch.kid,):
            raise RefusedError(Reason.EPOCH_RECIPIENT, f"epoch {number} has the key before for somebody else")
        if epoch.private.bound != self._bound(number, key) or (
            epoch.before is not None and epoch.before.bound != self._bound(number - 1, self.epochs[-1].key)
        ):
            raise RefusedError(Reason.EPOCH_KEY, f"epoch {number} has a private key that is bound to another epoch")
        return epoch

    def _record(
        self, signer: MemberKey, members: Sequence[Member], recovery: ECKey | None, before: ECKey | None
    ) -> str:
        number, key = len(self.epochs) + 1, keys.generate()
        readers = _readers(members, recovery).values()
        document: dict[str, object] = {
            "environment": self.environment,
            "project": self.project,
            "number": number,
            "previous": digest(self.current.record) if self.epochs else None,
            "key": keys.public(key),
            "members": [member.members() for member in members],
            "recovery": None if recovery is None else keys.public(recovery),
            "private": jwe.seal(_private(key), self._bound(number, key), readers),
            "before": None if before is None else jwe.seal(_private(before), self._bound(number - 1, before), [key]),
        }
        return jws.sign(Kind.EPOCH, strict.canonical(document), signer.sign)

    def _bound(self, number: int, key: ECKey) -> dict[str, object]:
        return {
            "version": jws.VERSION,
            "environment": self.environment,
            "project": self.project,
            "epoch": number,
            "key": keys.kid(key),
        }


def digest(record: str) -> str:
    """The SHA-256 of a record, in base64url, as pins and the next record have it."""
    return strict.encode(hashlib.sha256(record.encode("ascii")).digest())


def _readers(members: Sequence[Member], recovery: ECKey | None) -> dict[str, ECKey]:
    readers = [member.agree for member in members] + ([] if recovery is None else [recovery])
    return {keys.kid(reader): reader for reader in readers}


def _private(key: ECKey) -> bytes:
    return strict.canonical(keys.private(key))


def _sealed(document: object) -> jwe.Sealed:
    if not isinstance(document, dict):
        raise refused(Kind.EPOCH, "malformed", "has a private key that is not sealed")
    return jwe.read(Kind.EPOCH, document)
