# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a secret by its shape, whoever made it: tokens, private keys, credentials in URLs and headers."""

from __future__ import annotations

import base64
import binascii
import re

MASK = "[***]"

# A compact JWS or JWE (RFC 7515 3.1, RFC 7516 3.1): its header is a JSON object, so it starts with eyJ.
_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}")
# RFC 7468 text, also with its line ends escaped; cut off at the end, it is masked to the end.
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# The rest of one whose beginning a bounded tail did not reach.
_KEY_REMAINDER = re.compile(r"\A[A-Za-z0-9+/=\s]*-----END [A-Z0-9 ]*PRIVATE KEY-----")
# "-----BEGIN " in base64: a kubeconfig's client-key-data, or data of a Secret.
_BASE64_PEM = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]{8,}")
_HEADER = re.compile(r"""(?i)((?:proxy-)?authorization["']?\s*[:=]\s*\[?["']?(?:basic|bearer|digest|negotiate)\s+)[^\s"',\]]+""")
_COOKIE = re.compile(r"""(?i)(\b(?:set-)?cookie["']?\s*[:=]\s*\[?["']?)[^\s"'\]][^"'\r\n\]]*""")
# RFC 3986 3.2.1 userinfo: host facts hold the proxy's URL.
_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@\"']*:)[^\s/@\"']+(?=@)", re.IGNORECASE)
_QUERY = re.compile(r"([?&](?:code|state|nonce|[a-z_]*token[a-z_]*|client_secret|password|code_verifier)=)[^&\s\"'#]+", re.IGNORECASE)


def mask_shapes(text: str) -> str:
    """``text`` with everything masked that has the shape of a secret."""
    text = _PRIVATE_KEY.sub(MASK, text)
    text = _KEY_REMAINDER.sub(MASK, text)
    text = _BASE64_PEM.sub(_unless_certificate, text)
    text = _TOKEN.sub(MASK, text)
    for pattern in (_HEADER, _COOKIE, _USERINFO, _QUERY):
        text = pattern.sub(lambda found: found[1] + MASK, text)
    return text


def _unless_certificate(found: re.Match[str]) -> str:
    blob = found[0].rstrip("=")
    try:
        text = base64.b64decode(blob + "=" * (-len(blob) % 4))
    except (binascii.Error, ValueError):
        return MASK
    return MASK if b"PRIVATE KEY" in text else found[0]
