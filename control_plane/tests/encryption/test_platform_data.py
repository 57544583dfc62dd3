"""Data of the platform: opened by who may unwrap its key, as what it was sealed for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gpuaas.encryption import platform_data, strict
from gpuaas.encryption.binding import DataClass
from gpuaas.encryption.refusal import Kind, Reason, RefusedError
from support.envelopes import BINDING, OTHERS
from support.wrapping import Wrapping, WrappingError

PLAINTEXT = b"a session's tokens"
PLATFORM = replace(BINDING, data_class=DataClass.PLATFORM, type="session")
ROOT = Wrapping()
SEALED = platform_data.seal(PLAINTEXT, PLATFORM, ROOT)


def _refused(sealed: str, binding: Any = PLATFORM, root: Wrapping = ROOT) -> Reason:
    with pytest.raises(RefusedError) as refused:
        platform_data.open_sealed(sealed, binding, root)
    return refused.value.reason


def _rewritten(**changes: object) -> str:
    """With other values in what it is bound to; None takes one out."""
    encoded, *rest = SEALED.split(".")
    header = json.loads(strict.decode(encoded, Kind.ENVELOPE))
    bound = {**header["gpuaas"], **changes}
    header["gpuaas"] = {name: value for name, value in bound.items() if value is not None}
    return ".".join([strict.encode(strict.canonical(header)), *rest])


@pytest.mark.parametrize("size", [0, 1, platform_data.LONGEST_PLAINTEXT])
def test_what_is_sealed_is_opened(size: int) -> None:
    sealed = platform_data.seal(bytes(size), PLATFORM, ROOT)
    assert platform_data.open_sealed(sealed, PLATFORM, ROOT) == bytes(size)


def test_too_much_is_not_sealed() -> None:
    with pytest.raises(RefusedError) as refused:
        platform_data.seal(bytes(platform_data.LONGEST_PLAINTEXT + 1), PLATFORM, ROOT)
    assert refused.value.reason is Reason.PLATFORM_DATA_OVERSIZE


@pytest.mark.parametrize("name", OTHERS)
def test_it_is_nothing_else(name: str) -> None:
    changes: dict[str, Any] = {**OTHERS, "data_class": DataClass.TENANT}
    another = replace(PLATFORM, **{name: changes[name]})
    asked = len(ROOT.asked)
    assert _refused(SEALED, another) is Reason.PLATFORM_DATA_CONTEXT
    assert len(ROOT.asked) == asked, "no key is unwrapped for it"
    # Passed off as something else, it is the provider that does not unwrap it.
    with pytest.raises(WrappingError):
        platform_data.open_sealed(_rewritten(**{name: another.members()[name]}), another, ROOT)
    assert _refused(_rewritten(**{name: None})) is Reason.PLATFORM_DATA_CONTEXT


def test_another_root_key_does_not_open_it() -> None:
    with pytest.raises(WrappingError):
        platform_data.open_sealed(SEALED, PLATFORM, Wrapping())


def test_a_wrapped_key_of_another_record_does_not_open_it() -> None:
    """Both were wrapped in the same context; the header is authenticated by the key itself."""
    other = strict.encode(ROOT.wrap(bytes(32), PLATFORM.context()))
    assert _refused(_rewritten(wrapped=other)) is Reason.PLATFORM_DATA_DECRYPTION
    short = strict.encode(ROOT.wrap(bytes(16), PLATFORM.context()))
    assert _refused(_rewritten(wrapped=short)) is Reason.PLATFORM_DATA_DECRYPTION


@pytest.mark.parametrize("changes", [{"version": 2}, {"version": None}, {"version": "1"}])
def test_another_version_is_refused(changes: dict[str, object]) -> None:
    assert _refused(_rewritten(**changes)) is Reason.PLATFORM_DATA_VERSION


@pytest.mark.parametrize("changes", [{"more": 1}, {"wrapped": None}, {"wrapped": "A"}, {"wrapped": 1}])
def test_another_header_is_refused(changes: dict[str, object]) -> None:
    assert _refused(_rewritten(**changes)) in {Reason.PLATFORM_DATA_MALFORMED, Reason.PLATFORM_DATA_DECRYPTION}


@pytest.mark.parametrize("change", [{"alg": "A256KW"}, {"enc": "A128GCM"}, {"zip": "DEF"}, {"crit": []}, {"kid": "x"}])
def test_another_algorithm_is_refused(change: dict[str, object]) -> None:
    encoded, *rest = SEALED.split(".")
    header = json.loads(strict.decode(encoded, Kind.ENVELOPE)) | change
    assert _refused(".".join([strict.encode(strict.canonical(header)), *rest])) is Reason.PLATFORM_DATA_MALFORMED


def test_each_bit_and_each_beginning_of_it() -> None:
    for place, digit in enumerate(SEALED):
        for bit in range(7):
            with pytest.raises((RefusedError, WrappingError)):
                platform_data.open_sealed(
                    SEALED[:place] + chr(ord(digit) ^ (1 << bit)) + SEALED[place + 1 :], PLATFORM, ROOT
                )
        with pytest.raises((RefusedError, WrappingError)):
            platform_data.open_sealed(SEALED[:place], PLATFORM, ROOT)


def test_the_provider_is_told_what_it_unwraps_for() -> None:
    platform_data.open_sealed(SEALED, PLATFORM, ROOT)
    assert ROOT.asked[-1] == PLATFORM.context()
    assert all(isinstance(value, str) for value in PLATFORM.context().values())


def test_nothing_is_drawn_twice() -> None:
    sealed = [platform_data.seal(PLAINTEXT, PLATFORM, ROOT).split(".") for _again in range(64)]
    assert len({parts[2] for parts in sealed}) == len({parts[0] for parts in sealed}) == len(sealed)
