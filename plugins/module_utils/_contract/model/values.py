# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types a setting can have, and the text that a value of each is rendered as."""

from __future__ import annotations

import re
from collections.abc import Callable
from posixpath import normpath
from urllib.parse import urlsplit

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Setting

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DURATION = re.compile(r"(?:[0-9]+(?:ms|h|m|s))+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_USERINFO = re.compile(r"://[^/?#\s@]*:[^/?#\s@]+@")
_REFERENCE = re.compile(r"\$\{[^{}]+\}")
_SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|KEY$")


def render_setting(setting: Setting, expanded: str) -> tuple[str, str]:
    """(text, problem) of a setting whose references are ``expanded``; one of the two is empty.

    A boolean is ``true`` or ``false``, an integer decimal, everything else the
    text itself: never empty, in one line, so that an env file holds it verbatim.
    """
    literal = setting.value
    wanted = setting.type
    if wanted == "boolean":
        if isinstance(literal, bool):
            return ("true" if literal else "false"), ""
        # The quoted word stays refused: only what a mode states can be a reference.
        if isinstance(literal, str) and _REFERENCE.fullmatch(literal):
            return (expanded, "") if expanded in ("true", "false") else ("", "must lead to true or false")
        return "", "must be true or false, unquoted"
    if wanted in ("integer", "port"):
        if isinstance(literal, bool) or (isinstance(literal, str) and "${" not in literal):
            return "", f"must be {_ARTICLE[wanted]}, unquoted"
    elif not isinstance(literal, str):
        return "", "must be a string; quote it"
    if not expanded.strip() or expanded != expanded.strip():
        return "", "must not be empty nor start or end with a space"
    if not expanded.isprintable():
        return "", "must be one line of printable characters"
    return (expanded, "") if _CHECKS[wanted](expanded) else ("", f"must be {_ARTICLE[wanted]}")


def looks_secret(name: str, setting: Setting) -> str:
    """Why a setting looks like a secret that is written out; empty when it does not.

    A name of a secret may only point somewhere (``${secrets_source}``, a URL of an
    endpoint) or be a number or a switch; a URL must carry no password.
    """
    value = setting.value
    if not isinstance(value, str):
        return ""
    if _USERINFO.search(value):
        return "a password in a URL"
    if _SECRET_NAME.search(name) and setting.type not in ("port", "integer", "duration") and not value.startswith("${"):
        return "named like a secret, with its value written out"
    return ""


def is_port(text: str) -> bool:
    """A TCP or UDP port, 1 to 65535."""
    return bool(_INTEGER.fullmatch(text)) and 1 <= int(text) <= 65535


def is_hostname(text: str) -> bool:
    """A host name of RFC 1123, in lower case, at most 253 characters."""
    return len(text) <= 253 and bool(_HOSTNAME.fullmatch(text))


def is_path(text: str) -> bool:
    """An absolute, normalised POSIX path."""
    return text.startswith("/") and normpath(text) == text and not text.startswith("//")


def is_url(text: str) -> bool:
    """An absolute URL without user and password; a ``file`` URL has no host and an absolute path (RFC 8089)."""
    if text.startswith("file://"):
        return is_path(text.removeprefix("file://")) and " " not in text
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    return bool(_SCHEME.fullmatch(parts.scheme)) and is_hostname(host) and port != 0 and parts.username is None and " " not in text


_ARTICLE = {
    "string": "a string",
    "integer": "an integer",
    "port": "a port, 1 to 65535",
    "url": "an absolute URL without user and password",
    "hostname": "a host name",
    "path": "an absolute path without . and ..",
    "duration": "a duration such as 500ms, 30s or 1h30m",
}
_CHECKS: dict[str, Callable[[str], bool]] = {
    "string": lambda text: True,
    "integer": lambda text: bool(_INTEGER.fullmatch(text)),
    "port": is_port,
    "url": is_url,
    "hostname": is_hostname,
    "path": is_path,
    "duration": lambda text: bool(_DURATION.fullmatch(text)),
}
