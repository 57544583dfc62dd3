"""What is looked for is found in each of its spellings, wherever a chunk ends."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from ansible_collections.gpuaas.parity.tests.canary.spellings import Spellings, found

WORD = "canary-0f3c9a1b27d84e56"
WORDS = {"it": Spellings(WORD), "another": Spellings("canary-1111111111111111")}
RAW = WORD.encode()


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
@pytest.mark.parametrize(
    "spelled",
    [
        bytes,
        base64.b64encode,
        base64.urlsafe_b64encode,
        lambda raw: base64.b64encode(base64.b64encode(raw)),
        lambda raw: raw.hex().encode(),
        lambda raw: raw.hex().upper().encode(),
        lambda raw: base64.b64encode(raw).hex().encode(),
        lambda raw: quote(raw, safe="").encode(),
    ],
)
def test_it_is_found(spelled: object, before: bytes) -> None:
    text = spelled(before + b'{"start_script":"' + RAW + b'"}')  # type: ignore[operator]
    assert found(WORDS, [b"head", text, b"tail"]) == {"it"}


def test_it_is_found_where_a_chunk_ends() -> None:
    for place in range(len(RAW)):
        assert found(WORDS, [b"head" + RAW[:place], RAW[place:] + b"tail"]) == {"it"}
        assert found(WORDS, [RAW[:place], b"", RAW[place:]]) == {"it"}


def test_what_is_not_there_is_not_found() -> None:
    assert found(WORDS, [RAW[:-1], b"-", RAW[1:]]) == set()
    assert found(WORDS, []) == set()
