"""A tenant's record: sealed for the members of its project, signed by its author (JWE inside JWS).

Who opens it says what is expected, and it opens as nothing else. That the author stands in the sealed header as well
keeps others from signing what they did not write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from joserfc.jwk import ECKey

from gpuaas.encryption import jwe, jws, strict
from gpuaas.encryption.binding import Binding
from gpuaas.encryption.epoch import Chain, Epoch
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.refusal import Kind, Reason, RefusedError, refused

LONGEST_PLAINTEXT = 32 * 1024
LONGEST_ENVELOPE = 96 * 1024
MOST_READERS = 16  # The epoch's key and those that are named besides.

# What the header must say, and what it is called when it says something else.
_COMPARED = {
    "environment": Reason.ENVELOPE_ENVIRONMENT,
    "data_class": Reason.ENVELOPE_DATA_CLASS,
    "project": Reason.ENVELOPE_PROJECT,
    "event_id": Reason.ENVELOPE_EVENT_ID,
    "type": Reason.ENVELOPE_TYPE,
    "schema_version": Reason.ENVELOPE_SCHEMA_VERSION,
}
_BESIDES = {"version", "epoch", "key", "author"}


@dataclass(frozen=True, slots=True)
class Expected:
    """``author`` is the thumbprint of who must have written it, if only one may have. ``oldest_epoch`` is the first epoch
    that it may be sealed under: the newest, unless what is read is known to be older."""

    binding: Binding
    author: str | None = None
    oldest_epoch: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Checked:
    """An envelope that is what was expected; whoever holds its epoch's key may open it."""

    sealed: jwe.Sealed
    epoch: Epoch
    author: str

    def open_with(self, held: Mapping[str, ECKey]) -> bytes:
        """The plaintext, with one of the ``held`` private keys, by their thumbprints. Raises RefusedError."""
        return jwe.open_with(self.sealed, held)


def seal(plaintext: bytes, binding: Binding, author: MemberKey, epoch: Epoch, others: Sequence[ECKey] = ()) -> str:
    """``plaintext`` for the members of ``epoch``, and for ``others`` besides. Raises RefusedError."""
    if len(plaintext) > LONGEST_PLAINTEXT:
        raise refused(Kind.ENVELOPE, "oversize", f"would have {len(plaintext)} bytes of at most {LONGEST_PLAINTEXT}")
    bound = {
        "version": jws.VERSION,
        **binding.members(),
        "epoch": epoch.number,
        "key": epoch.kid,
        "author": author.kid,
    }
    document = jwe.seal(plaintext, bound, [epoch.key, *others])
    return jws.sign(Kind.ENVELOPE, strict.canonical(document), author.sign)


def check(envelope: str, expected: Expected, chain: Chain) -> Checked:
    """All that can be known of an envelope without a key: a server does so before it stores it. Raises RefusedError."""
    signed = jws.read(Kind.ENVELOPE, envelope, LONGEST_ENVELOPE)
    sealed = jwe.read(Kind.ENVELOPE, strict.read(signed.payload, Kind.ENVELOPE))
    bound = sealed.bound
    if bound.get("version") != jws.VERSION:
        raise refused(Kind.ENVELOPE, "version", f"is not of version {jws.VERSION}")
    if bound.keys() != _COMPARED.keys() | _BESIDES:
        raise refused(Kind.ENVELOPE, "malformed", "is bound to other members than it should")
    epoch = chain.epoch(bound["epoch"], bound["key"])
    if bound["author"] != signed.signer or signed.signer not in epoch.members:
        raise RefusedError(Reason.ENVELOPE_AUTHOR, f"its author is not a member of epoch {epoch.number}")
    jws.verify(signed, epoch.members[signed.signer].sign)
    if expected.author not in (None, signed.signer):
        raise RefusedError(Reason.ENVELOPE_AUTHOR, f"its author is {signed.signer}")
    wanted = expected.binding.members()
    for name, reason in _COMPARED.items():
        if bound[name] != wanted[name]:
            raise RefusedError(reason, f"its {name} is not {wanted[name]}")
    oldest = chain.current.number if expected.oldest_epoch is None else expected.oldest_epoch
    if epoch.number < oldest:
        raise RefusedError(Reason.ENVELOPE_EPOCH_STALE, f"it is sealed under epoch {epoch.number}, before {oldest}")
    if epoch.kid not in sealed.readers or len(sealed.readers) > MOST_READERS:
        raise RefusedError(Reason.ENVELOPE_RECIPIENT, "it is not for the members of its epoch, or for too many besides")
    return Checked(sealed, epoch, signed.signer)
