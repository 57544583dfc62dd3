"""Kinds of settings: how each is checked."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gpuaas import secrets
from gpuaas.encryption.providers import url
from gpuaas.encryption.security import MemberKeys, SecurityMode
from gpuaas.journal import store

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a setting is checked. ``name`` is its type in the contract."""

    name: str
    means: str
    parse: Callable[[str], Any]


def _string(raw: str) -> str:
    if not raw.strip() or not raw.isprintable():
        raise ValueError
    return raw


def _log_level(raw: str) -> str:
    if raw not in _LOG_LEVELS:
        raise ValueError
    return raw


def _path(raw: str) -> Path:
    path = Path(_string(raw))
    if not path.is_absolute():
        raise ValueError
    return path


def _hostname(raw: str) -> str:
    if len(raw) > 253 or not _HOSTNAME.fullmatch(raw):
        raise ValueError
    return raw


def _port(raw: str) -> int:
    port = _integer(raw)
    if not 1 <= port <= 65535:
        raise ValueError
    return port


def _integer(raw: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", raw):
        raise ValueError
    return int(raw)


def _positive(raw: str) -> int:
    number = _integer(raw)
    if number == 0:
        raise ValueError
    return number


def _url(raw: str) -> str:
    parts = urlsplit(_string(raw))
    plain = not (parts.query or parts.fragment or parts.username or parts.password or raw.endswith("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or parts.port == 0:
        raise ValueError
    return raw


def _networks(raw: str) -> tuple[Any, ...]:
    return tuple(ipaddress.ip_network(part) for part in raw.split(","))


STRING = Kind("string", "a non-empty line of text", _string)
LOG_LEVEL = Kind("string", f"one of {', '.join(_LOG_LEVELS)}", _log_level)
PATH = Kind("path", "an absolute path", _path)
HOSTNAME = Kind("hostname", "a host name", _hostname)
PORT = Kind("port", "a port (1-65535)", _port)
NETWORKS = Kind("string", "networks in CIDR notation, separated by commas", _networks)
INTEGER = Kind("integer", "a whole number", _integer)
POSITIVE = Kind("integer", "a whole number above zero", _positive)
URL = Kind("url", "an http(s) URL without a trailing slash, query or user", _url)
SECRETS_SOURCE = Kind("url", f"a source of secrets that is known: {', '.join(secrets.FORMS)}", secrets.parse)
SECURITY_MODE = Kind("string", f"one of {', '.join(SecurityMode)}", SecurityMode.of)
MEMBER_KEYS = Kind("string", f"one of {', '.join(MemberKeys)}", MemberKeys)
KEY_PROVIDER = Kind("string", f"a root key in a form that is known: {', '.join(url.FORMS)}", url.parse)
JOURNAL_STORE = Kind("url", f"a store of the journal that is known: {', '.join(store.FORMS)}", store.parse)
