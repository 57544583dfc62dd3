"""What is handed to Temporal: opened with the key that it names, in the workflow that it was sealed for."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from joserfc import jwe
from temporalio.api.common.v1 import Payload
from temporalio.converter import ActivitySerializationContext, NexusSerializationContext, WorkflowSerializationContext
from temporalio.exceptions import ApplicationError

from gpuaas.encryption import strict
from gpuaas.encryption.payload_codec import ENCODING, Codec
from gpuaas.encryption.payloads import PayloadKeys, Place
from gpuaas.encryption.providers.keyring import Keyring
from gpuaas.encryption.refusal import Kind, Reason, RefusedError
from support.payloads import BEFORE, ROTATED, SECOND

PLAINTEXT = b"what a step was told"
PLACE = Place("gpuaas", "provision-1")
SEALED = BEFORE.seal(PLAINTEXT, PLACE)
PAYLOAD = Payload(metadata={"encoding": b"json/plain"}, data=b'"told"')
IN_WORKFLOW = WorkflowSerializationContext(PLACE.namespace, PLACE.workflow)


def _refused(sealed: str, place: Place = PLACE, keys: PayloadKeys = BEFORE) -> Reason:
    with pytest.raises(RefusedError) as refused:
        keys.open_sealed(sealed, place)
    assert PLAINTEXT.decode() not in str(refused.value)
    return refused.value.reason


def _changed(**changes: object) -> str:
    encoded, *rest = SEALED.split(".")
    header = json.loads(strict.decode(encoded, Kind.ENVELOPE)) | changes
    header = {name: value for name, value in header.items() if value is not None}
    return ".".join([strict.encode(strict.canonical(header)), *rest])


@pytest.mark.parametrize("size", [0, 1, 2_000_000])
def test_what_is_sealed_is_opened(size: int) -> None:
    assert BEFORE.open_sealed(BEFORE.seal(bytes(size), PLACE), PLACE) == bytes(size)


def test_a_rotated_keyring_opens_both_and_seals_with_the_newest() -> None:
    assert ROTATED.open_sealed(SEALED, PLACE) == PLAINTEXT
    assert _refused(ROTATED.seal(PLAINTEXT, PLACE)) is Reason.PAYLOAD_KEY_UNKNOWN


def test_a_keyring_without_the_version_does_not_open_it() -> None:
    gone = PayloadKeys.of(Keyring("", 2, {2: SECOND}))
    assert _refused(SEALED, keys=gone) is Reason.PAYLOAD_KEY_UNKNOWN
    assert _refused(_changed(kid=gone.primary), keys=gone) is Reason.PAYLOAD_DECRYPTION


@pytest.mark.parametrize("place", [Place("gpuaas", "provision-2"), Place("other", "provision-1")])
def test_it_is_of_no_other_workflow(place: Place) -> None:
    assert _refused(SEALED, place) is Reason.PAYLOAD_CONTEXT
    # Passed off as that one's, the header is not the one that was authenticated.
    assert _refused(_changed(gpuaas=place.members()), place) is Reason.PAYLOAD_DECRYPTION


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gpuaas": PLACE.members() | {"version": 2}}, Reason.PAYLOAD_VERSION),
        ({"gpuaas": PLACE.members() | {"more": 1}}, Reason.PAYLOAD_CONTEXT),
        ({"gpuaas": None}, Reason.PAYLOAD_MALFORMED),
        ({"alg": "A256KW"}, Reason.PAYLOAD_MALFORMED),
        ({"enc": "A128GCM"}, Reason.PAYLOAD_MALFORMED),
        ({"zip": "DEF"}, Reason.PAYLOAD_MALFORMED),
        ({"crit": None}, Reason.PAYLOAD_MALFORMED),
        ({"kid": None}, Reason.PAYLOAD_MALFORMED),
    ],
)
def test_another_header_is_refused(changes: dict[str, object], reason: Reason) -> None:
    assert _refused(_changed(**changes)) is reason


def test_each_bit_and_each_beginning_of_it() -> None:
    for place, digit in enumerate(SEALED):
        for bit in range(7):
            assert _refused(SEALED[:place] + chr(ord(digit) ^ (1 << bit)) + SEALED[place + 1 :])
        assert _refused(SEALED[:place])


def test_nothing_is_drawn_twice() -> None:
    assert len({BEFORE.seal(PLAINTEXT, PLACE).split(".")[2] for _again in range(64)}) == 64


def test_it_is_a_jwe_that_any_library_opens() -> None:
    registry = jwe.JWERegistry({"gpuaas": _any_header()}, ["dir", "A256GCM"])
    assert jwe.decrypt_compact(SEALED, BEFORE.keys[BEFORE.primary], registry=registry).plaintext == PLAINTEXT


def _any_header() -> object:
    from joserfc.registry import HeaderParameter

    return HeaderParameter("what it is bound to", lambda _value: None)


def test_keys_are_not_shown() -> None:
    assert "OctKey" not in repr(ROTATED)
    assert ROTATED.primary in repr(ROTATED)


def _coded(codec: Codec, *payloads: Payload) -> list[Payload]:
    return asyncio.run(codec.encode(payloads))


def test_the_codec_seals_a_payload_with_its_metadata() -> None:
    codec = Codec(BEFORE).with_context(IN_WORKFLOW)
    (sealed,) = _coded(codec, PAYLOAD)
    assert dict(sealed.metadata) == {"encoding": ENCODING}
    assert asyncio.run(codec.decode([sealed])) == [PAYLOAD]


def test_a_step_reads_what_its_workflow_says() -> None:
    step = ActivitySerializationContext(
        "gpuaas", "1", "reserve", "provisioning", "provision-1", "ProvisionInstance", False
    )
    sealed = _coded(Codec(BEFORE).with_context(IN_WORKFLOW), PAYLOAD)
    assert asyncio.run(Codec(BEFORE).with_context(step).decode(sealed)) == [PAYLOAD]


def test_what_was_never_sealed_is_read_as_it_is() -> None:
    assert asyncio.run(Codec(BEFORE).with_context(IN_WORKFLOW).decode([PAYLOAD])) == [PAYLOAD]


@pytest.mark.parametrize("context", [None, NexusSerializationContext("a", "b", "c")])
def test_nothing_is_sealed_for_no_workflow(context: NexusSerializationContext | None) -> None:
    codec = Codec(BEFORE) if context is None else Codec(BEFORE).with_context(context)
    with pytest.raises(ApplicationError) as refused:
        _coded(codec, PAYLOAD)
    assert refused.value.type == Reason.PAYLOAD_CONTEXT


def test_a_refusal_is_told_until_it_opens_and_ends_no_workflow() -> None:
    codec = Codec(BEFORE)
    sealed = _coded(Codec(ROTATED).with_context(IN_WORKFLOW), PAYLOAD)
    with pytest.raises(ApplicationError) as refused:
        asyncio.run(codec.with_context(IN_WORKFLOW).decode(sealed))
    assert (refused.value.type, refused.value.non_retryable) == (Reason.PAYLOAD_KEY_UNKNOWN, False)
    assert codec.fault() == "refused (payload_key_unknown for workflow provision-1, of 1 that wait)"
    asyncio.run(replace(codec, keys=ROTATED).with_context(IN_WORKFLOW).decode(sealed))
    assert codec.fault() is None
