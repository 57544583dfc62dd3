# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A value wrapped by a key: AES-256 key wrap with padding (RFC 5649), with a key for each name.

The key that wraps is derived from the wrapping secret, for the name of what is wrapped. So a wrapped value cannot stand
under another name, and a consumer that encrypts with the wrapping secret itself uses no key of ours. Key wrap takes no
nonce: what is wrapped twice is the same, and nothing in secrets.yml changes without need.
"""

from __future__ import annotations

import base64

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import keywrap
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.derivation import expand

_SIZE = 32
"""Bytes of a key for AES-256."""


def wrap(key: bytes, name: str, value: str) -> str:
    """The value of the secret ``name``, wrapped, in base64."""
    return base64.b64encode(keywrap.aes_key_wrap_with_padding(_own(key, name), value.encode())).decode()


def unwrap(key: bytes, name: str, wrapped: str) -> str:
    """The value again. Raises ValueError for what is no base64, or was not wrapped by that key for that name."""
    try:
        return keywrap.aes_key_unwrap_with_padding(_own(key, name), base64.b64decode(wrapped, validate=True)).decode()
    except keywrap.InvalidUnwrap:
        raise ValueError("not wrapped by this key") from None


def _own(key: bytes, name: str) -> bytes:
    return expand(key, _SIZE, f"wrap {name}")
