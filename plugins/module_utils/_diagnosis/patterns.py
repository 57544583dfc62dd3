# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a secret by its shape, whoever made it: tokens, private keys, credentials in URLs, headers and settings."""

from __future__ import annotations

import base64
import binascii
import re

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.named_values import mask_named

MASK = "[***]"

# A compact JWS or JWE (RFC 7515 3.1, RFC 7516 3.1): its header is a JSON object, so it starts with eyJ.
_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}")
# RFC 7468 text, also with its line ends escaped; cut off at the end, it is masked to the end.
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# The rest of one whose beginning a bounded tail did not reach.
_KEY_REMAINDER = re.compile(r"\A[A-Za-z0-9+/=\s]*-----END [A-Z0-9 ]*PRIVATE KEY-----")
# "-----BEGIN " and "eyJ" in base64, as in a kubeconfig's client-key-data or a Secret; then both in base64 of base64.
_ENCODED = re.compile(r"(?:LS0tLS1CRUdJTi|TFMwdExTMUNSVWRKVG|\bZXlK|\bWlhsS)[A-Za-z0-9+/_-]{8,}={0,2}")
_LAYERS = 2


def mask_shapes(text: str) -> str:
    """``text`` with everything masked that has the shape of a secret."""
    text = _PRIVATE_KEY.sub(MASK, text)
    text = _KEY_REMAINDER.sub(MASK, text)
    text = _ENCODED.sub(_unless_certificate, text)
    text = _TOKEN.sub(MASK, text)
    return mask_named(text, MASK)


def _unless_certificate(found: re.Match[str]) -> str:
    inside = found[0].encode()
    for _layer in range(_LAYERS):
        try:
            inside = _decoded(inside)
        except (binascii.Error, ValueError):
            return MASK
        if inside.startswith(b"-----BEGIN"):
            return MASK if b"PRIVATE KEY" in inside else found[0]
        if inside.startswith(b"eyJ"):
            return MASK
    return MASK


def _decoded(blob: bytes) -> bytes:
    blob = blob.strip().rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    return base64.b64decode(blob + b"=" * (-len(blob) % 4))
