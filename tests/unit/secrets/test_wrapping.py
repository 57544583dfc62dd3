"""Derivation and key wrap: what they are by the RFCs, and that nothing but the same key and name opens a value."""

from __future__ import annotations

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.derivation import derive, expand
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.text import KEY
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.wrapping import unwrap, wrap
from cryptography.hazmat.primitives import keywrap
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.binary(min_size=32, max_size=32)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True)


@given(key=KEYS, name=NAMES, value=st.text(min_size=1, alphabet=st.characters(codec="utf-8")))
def test_what_is_wrapped_is_unwrapped(key: bytes, name: str, value: str) -> None:
    wrapped = wrap(key, name, value)
    assert unwrap(key, name, wrapped) == value
    assert wrap(key, name, value) == wrapped


@given(key=KEYS, other=KEYS, name=NAMES, other_name=NAMES, value=st.text("ab", min_size=1))
def test_nothing_else_opens_it(key: bytes, other: bytes, name: str, other_name: str, value: str) -> None:
    wrapped = wrap(key, name, value)
    for wrong in ((other, name), (key, other_name)):
        if wrong != (key, name):
            with pytest.raises(ValueError, match="not wrapped by this key"):
                unwrap(*wrong, wrapped)


@pytest.mark.parametrize("wrapped", ["", "AAAA", "no base64!", "A" * 24])
def test_what_was_never_wrapped(wrapped: str) -> None:
    with pytest.raises(ValueError):
        unwrap(b"k" * 32, "a", wrapped)


def test_the_library_wraps_as_the_rfc_says() -> None:
    """RFC 5649 section 6."""
    key = bytes.fromhex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")
    wrapped = keywrap.aes_key_wrap_with_padding(key, bytes.fromhex("466f7250617369"))
    assert wrapped.hex() == "afbeb0f07dfbf5419200f2ccb50bb24f"


@given(source=KEYS, one=NAMES, two=NAMES)
def test_what_is_derived_follows_from_source_type_and_name(source: bytes, one: str, two: str) -> None:
    made = derive(source, one, "key")
    assert made == derive(source, one, "key")
    assert (made == derive(source, two, "key")) is (one == two)
    assert KEY.read(made) not in (expand(source, 32, f"wrap {one}"), expand(source, 32, f"keyring {one}"))
