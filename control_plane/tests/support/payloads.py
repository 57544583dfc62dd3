"""The tests' own keys of what goes to Temporal. They are always the same, since kept histories are read with them."""

from __future__ import annotations

import hashlib

from gpuaas.encryption.payload_codec import Codec, converter
from gpuaas.encryption.payloads import PayloadKeys
from gpuaas.encryption.providers.keyring import Keyring

FIRST, SECOND = (hashlib.sha256(f"a key of the tests, {version}".encode()).digest() for version in (1, 2))
BEFORE = PayloadKeys.of(Keyring("", 1, {1: FIRST}))
ROTATED = PayloadKeys.of(Keyring("", 2, {1: FIRST, 2: SECOND}))
CONVERTER = converter(Codec(ROTATED))
