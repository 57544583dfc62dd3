"""Whatever may be a key is taken for one, however it is written down; and every recipient of everything sealed is tried."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.gpuaas.parity.tests.canary.attack import candidates, sealed_in

KEY = bytes(range(200, 232))
PEM = b"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.hex().encode(),
        KEY.hex().upper().encode(),
        base64.b64encode(KEY),
        base64.urlsafe_b64encode(KEY).rstrip(b"="),
        json.dumps({"primary": 1, "keys": {"1": base64.b64encode(KEY).decode()}}).encode(),
        b'{"kty":"EC","d":"' + base64.urlsafe_b64encode(KEY).rstrip(b"=") + b'"}',
        b"KEY=" + base64.b64encode(KEY) + b"\0OTHER=x",
    ],
)
def test_a_key_is_found(written: bytes) -> None:
    assert KEY in candidates(written)


def test_a_private_key_in_pem_is_found() -> None:
    assert candidates(b"ca\n" + PEM + b"\nmore") == {PEM}


def test_what_is_longer_or_shorter_is_none() -> None:
    assert candidates(base64.b64encode(KEY + b"x") + b" " + KEY[1:].hex().encode()) == set()


def test_each_recipient_of_each_part_is_tried() -> None:
    part = {"protected": "a", "iv": "b", "ciphertext": "c", "tag": "d", "recipients": [{"n": 1}, {"n": 2}]}
    payload = {"private": part, "more": [{"before": part | {"recipients": [{"n": 3}]}}]}
    text = f"header.{base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip('=')}.signature"
    assert sorted(each["recipients"][0]["n"] for each in sealed_in(text)) == [1, 2, 3]
