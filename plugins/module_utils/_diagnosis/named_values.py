# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are secret by what they are called, in the forms that logs have."""

from __future__ import annotations

import re

# The end of a name: redis_password, clientSecret, X-Auth-Token. What stands before it need not be looked at.
_NAME = r"(?:pass(?:word|wd|phrase)|secret|token|(?:api|access|private|signing)[_-]?key|credentials?|session[_-]?id|assertion)"
# A quote, as it is or escaped once or more by JSON within JSON; or none.
_QUOTE = r"""(?:\\*["'])?"""
_AUTHORIZATION = rf"""(?:proxy-)?authorization{_QUOTE}\s*[:=,]\s*\[?b?{_QUOTE}"""


def _group(words: tuple[str, ...], *patterns: str) -> tuple[tuple[str, ...], tuple[re.Pattern[str], ...]]:
    return words, tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


# Words, one of which a line must have, in lower case, before the patterns are tried: most lines have none.
_GROUPS = (
    _group(
        ("pass", "secret", "token", "key", "credential", "session", "assertion"),
        # {"password": "x"}, and Python's repr of it
        rf"""({_NAME}["']\s*:\s*b?(["']))(?:\\.|(?!\2)[^\\\r\n])+""",
        # the same within a JSON text: {\"password\": \"x\"}
        rf"""({_NAME}\\+["']\s*:\s*(\\+["'])).+?(?=(?<!\\)\2|$)""",
        # host=postgres password='x y' (libpq, "Keyword/Value Connection Strings"), PGPASSWORD=x, token = "x", a form
        rf"""({_NAME}\s*=\s*)(?:'(?:\\.|[^'\\\r\n])*'|"(?:\\.|[^"\\\r\n])*"|["']?(?:\\.|(?!&[\w.-]+=)[^\s"'\\])+)""",
        # ALTER ROLE gpuaas PASSWORD 'x'
        r"""(\bpassword\s+)'(?:''|[^'\r\n])*'""",
    ),
    _group(
        ("authorization",),
        # RFC 9110 section 11.6.2: schemes whose credentials are a list of parameters, then those of one word
        rf"""({_AUTHORIZATION}(?:digest|aws4-[\w-]+|scram-[\w-]+|hoba|mutual)\s+)[^\r\n]+""",
        rf"""({_AUTHORIZATION}[a-z][\w-]*\s+)[^\s"',\]\\]{{4,}}""",
        rf"""({_AUTHORIZATION})[^\s"',\]\\]{{16,}}""",
    ),
    _group(("x-",), rf"""(\bx-[\w-]*(?:token|key|secret){_QUOTE}\s*[:=,]\s*\[?b?{_QUOTE})[^\s"',\]\\]+"""),
    _group(
        ("cookie",),
        # a header that is quoted, or one to the end of its line
        r"""(\b(?:set-)?cookie(?:\\*["'])?\s*[:=,]\s*[\[(]*b?(\\*["'])).+?(?=(?<!\\)\2|$)""",
        r"""(\b(?:set-)?cookie\s*[:=]\s*\[?)[^\s"'\]\\](?:=\\*"[^"\r\n]*"|[^"'\r\n\]])*""",
    ),
    # RFC 6265bis section 4.1.3: names of cookies that carry a session wherever they stand
    _group(("__host-", "__secure-"), rf"""(\b__(?:host|secure)-[\w.-]+{_QUOTE}\s*[:=]\s*{_QUOTE})[^\s"',;\\]+"""),
    _group(
        ("://",),
        # RFC 3986 section 3.2.1: user and password, or a token alone
        r"""(\b[a-z][a-z0-9+.-]{0,31}://[^\s/:@"']*:)[^\s/"']+(?=@)""",
        r"""(\b[a-z][a-z0-9+.-]{0,31}://)[^\s/:@"'\[]{16,}(?=@)""",
    ),
    # parameters of OAuth and OpenID Connect, also where an URL is a parameter of another
    _group(
        ("code", "state", "nonce", "token", "secret", "password", "assertion"),
        r"""((?:[?&#]|%3f|%26|%23|\\u0026)(?:code|state|session_state|nonce|[a-z_]{0,31}token[a-z_]{0,31}|client_secret|password"""
        r"""|code_verifier|client_assertion)(?:=|%3d))(?:(?!%26|\\u0026)[^&\s"'#])+""",
    ),
)


def mask_named(text: str, mask: str) -> str:
    """``text`` with ``mask`` in the place of every such value; its name stays."""
    pairs = zip(text.split("\n"), text.lower().split("\n"), strict=True)
    return "\n".join(_line(line, lowered, mask) for line, lowered in pairs)


def _line(line: str, lowered: str, mask: str) -> str:
    for words, patterns in _GROUPS:
        if any(word in lowered for word in words):
            for pattern in patterns:
                line = pattern.sub(lambda found: found[1] + mask, line)
    return line
