"""Everything that is refused, by its name; and that what is good is opened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from joserfc.jwk import ECKey

from gpuaas.encryption import jws, keys, strict, tenant
from gpuaas.encryption.refusal import Kind, Reason, RefusedError
from support import negatives
from support.envelopes import BINDING, PLAINTEXT, World, forged, parts, protected, signed

WORLD = World()
CASES = negatives.cases(WORLD)
HELD = WORLD.chain.unlock(WORLD.carol.agree)


@pytest.mark.parametrize(
    "key",
    [WORLD.alice.agree, WORLD.carol.agree, WORLD.recovery],
    ids=["the author", "another member", "the recovery key"],
)
def test_each_reader_opens_it(key: ECKey) -> None:
    assert replace(WORLD.served, key=key).opened() == PLAINTEXT


def test_one_who_is_named_besides_opens_it_without_the_epoch() -> None:
    runner = keys.generate()
    envelope = tenant.seal(PLAINTEXT, BINDING, WORLD.alice, WORLD.chain.current, [runner])
    checked = tenant.check(envelope, tenant.Expected(BINDING), WORLD.chain)
    assert checked.open_with({keys.kid(runner): runner}) == PLAINTEXT
    assert checked.open_with(WORLD.chain.unlock(WORLD.carol.agree)) == PLAINTEXT
    with pytest.raises(RefusedError) as refused:
        checked.open_with({keys.kid(WORLD.bob.agree): WORLD.bob.agree})
    assert refused.value.reason is Reason.ENVELOPE_RECIPIENT


def test_what_was_sealed_before_is_read_by_who_joined_later_and_says_so() -> None:
    old = WORLD.seal(by=WORLD.bob, under=1)
    assert replace(WORLD.served, envelope=old, oldest_epoch=1).opened() == PLAINTEXT


def test_every_pin_of_the_chain_is_good() -> None:
    assert replace(WORLD.served, pin=WORLD.pin(2)).opened() == PLAINTEXT


@pytest.mark.parametrize("size", [0, 1, 4096, tenant.LONGEST_PLAINTEXT])
def test_any_size_up_to_the_bound(size: int) -> None:
    envelope = tenant.seal(
        bytes(size), BINDING, WORLD.alice, WORLD.chain.current, [keys.generate() for _one in range(15)]
    )
    assert len(envelope) <= tenant.LONGEST_ENVELOPE
    assert replace(WORLD.served, envelope=envelope).opened() == bytes(size)


def test_too_much_is_not_sealed() -> None:
    with pytest.raises(RefusedError) as refused:
        tenant.seal(bytes(tenant.LONGEST_PLAINTEXT + 1), BINDING, WORLD.alice, WORLD.chain.current)
    assert refused.value.reason is Reason.ENVELOPE_OVERSIZE


def test_nothing_is_drawn_twice() -> None:
    def drawn() -> tuple[str, str, str]:
        _header, document = parts(WORLD.seal())
        (recipient,) = document["recipients"]
        return document["iv"], recipient["encrypted_key"], recipient["header"]["epk"]["x"]

    seen = [drawn() for _again in range(64)]
    assert all(len(set(values)) == len(seen) for values in zip(*seen, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused(name: str) -> None:
    served, reason = CASES[name]
    with pytest.raises(RefusedError) as refused:
        served.opened()
    assert refused.value.reason is reason
    assert PLAINTEXT.decode() not in str(refused.value)


def test_at_least_a_third_is_negative() -> None:
    assert len(CASES) > 150
    assert {reason for _served, reason in CASES.values()} >= {
        reason
        for reason in Reason
        if reason.startswith(("envelope_", "epoch_"))
        # Of who reads twice, and of who rotates at once: test_reader.py and test_epoch_store.py.
        and reason not in {Reason.ENVELOPE_REPLAYED, Reason.EPOCH_CONFLICT}
    }


def test_each_bit_of_the_outer_header() -> None:
    header, payload, signature = WORLD.envelope.split(".")
    for changed in _flipped(strict.decode(header, Kind.ENVELOPE)):
        assert _refused(f"{strict.encode(changed)}.{payload}.{signature}") is not None


def test_each_bit_of_the_sealed_header_though_its_author_signed_that() -> None:
    header, document = parts(WORLD.envelope)
    for changed in _flipped(strict.decode(document["protected"], Kind.ENVELOPE)):
        document["protected"] = strict.encode(changed)
        envelope = signed(strict.canonical(document), header, WORLD.alice.sign)
        assert _refused(envelope) is not None


@pytest.mark.parametrize("part", ["kid", "x", "y", "encrypted_key", "iv", "tag", "ciphertext"])
def test_each_bit_of_what_a_recipient_needs_though_its_author_signed_that(part: str) -> None:
    header, document = parts(WORLD.envelope)
    (recipient,) = document["recipients"]
    places = (document, recipient, recipient["header"], recipient["header"]["epk"])
    place = next(place for place in places if part in place)
    for changed in _flipped(strict.decode(place[part], Kind.ENVELOPE)):
        place[part] = strict.encode(changed)
        envelope = signed(strict.canonical(document), header, WORLD.alice.sign)
        assert _refused(envelope) is not None


def test_each_bit_of_the_signature() -> None:
    header, payload, signature = WORLD.envelope.split(".")
    for changed in _flipped(strict.decode(signature, Kind.ENVELOPE)):
        envelope = f"{header}.{payload}.{strict.encode(changed)}"
        assert _refused(envelope) is Reason.ENVELOPE_SIGNATURE


def test_each_beginning_of_it() -> None:
    for length in range(len(WORLD.envelope)):
        assert _refused(WORLD.envelope[:length]) is not None


def test_each_beginning_of_a_record() -> None:
    first, second = WORLD.records()
    for length in range(0, len(second), 7):
        assert replace(WORLD.served, records=(first, second[:length])).refused() is not None


def test_each_bit_of_a_records_header() -> None:
    first, second = WORLD.records()
    header, payload, signature = second.split(".")
    for changed in _flipped(strict.decode(header, Kind.EPOCH)):
        records = (first, f"{strict.encode(changed)}.{payload}.{signature}")
        assert replace(WORLD.served, records=records).refused() is not None


def test_the_ephemeral_key_of_a_single_recipient_may_be_protected() -> None:
    """As the library of browsers has it. It cannot be had by moving it: the header is authenticated."""

    def move(document: dict[str, dict[str, object]]) -> None:
        (recipient,) = document["recipients"]
        epk = recipient["header"].pop("epk")  # type: ignore[index, attr-defined]
        protected(lambda header: header.update(epk=epk))(document)

    envelope = forged(WORLD.envelope, WORLD.alice, move)
    assert replace(WORLD.served, envelope=envelope).refused() is Reason.ENVELOPE_DECRYPTION


def test_nothing_that_is_shown_has_a_private_half() -> None:
    for shown in (WORLD.alice, WORLD.alice.public, WORLD.chain, WORLD.chain.current, WORLD.alice.sign, WORLD.held):
        text = f"{shown!r} {shown}"
        for key in (WORLD.alice.sign, WORLD.alice.agree, *WORLD.held.values()):
            assert str(keys.private(key)["d"]) not in text
    assert WORLD.alice.kid in repr(WORLD.alice)


def test_a_signature_over_another_kind_is_none() -> None:
    """A record that Alice signed cannot be passed off as an envelope, nor the other way round."""
    text = jws.sign(Kind.EPOCH, b"{}", WORLD.alice.sign)
    with pytest.raises(RefusedError) as refused:
        jws.read(Kind.ENVELOPE, text, 1000)
    assert refused.value.reason is Reason.ENVELOPE_VERSION


def _refused(envelope: str) -> Reason | None:
    """As ``Served.refused`` has it, by a reader who has looked at the epochs before."""
    try:
        tenant.check(envelope, tenant.Expected(BINDING), WORLD.chain).open_with(HELD)
    except RefusedError as error:
        return error.reason
    return None


def _flipped(text: bytes) -> list[bytes]:
    """``text`` with each of its bits the other way, one at a time."""
    return [
        text[:place] + bytes([text[place] ^ (1 << bit)]) + text[place + 1 :]
        for place in range(len(text))
        for bit in range(8)
    ]
