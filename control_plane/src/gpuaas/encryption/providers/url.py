"""How GPUAAS_KEY_PROVIDER names a root key. Reads nothing, and imports nothing that a process without one would carry."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

# AWS's own keys have aliases below alias/aws/.
_ALIAS = re.compile(r"alias/(?!aws/)[A-Za-z0-9_/-]{1,200}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Place:
    """Which key of which KMS. ``endpoint`` is empty for AWS's own."""

    alias: str
    region: str
    endpoint: str

    @classmethod
    def of(cls, rest: str) -> Place:
        """What follows ``awskms:`` in ``awskms:alias/<name>?region=<region>[&endpoint=<url>]``.

        Another endpoint is reached over TLS, or does not leave the machine: keys travel to it. Raises ValueError.
        """
        alias, _separator, query = rest.partition("?")
        given = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
        said = dict(given)
        if len(said) < len(given) or not {"region"} <= set(said) <= {"region", "endpoint"}:
            raise ValueError
        if not _ALIAS.fullmatch(alias) or not _REGION.fullmatch(said["region"]):
            raise ValueError
        endpoint = said.get("endpoint", "")
        if "endpoint" in said:
            parts = urlsplit(endpoint)
            secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
            if not (secure and parts.hostname) or parts.username or parts.query or parts.fragment or parts.port == 0:
                raise ValueError
        return cls(alias, said["region"], endpoint)


def path_of(rest: str) -> Path:
    """The path of what follows ``file:`` in ``file:///...`` (RFC 8089). Raises ValueError."""
    path = unquote(rest.removeprefix("//"))
    if not rest.startswith("///") or os.path.normpath(path) != path or path == "/" or "\0" in path:
        raise ValueError
    return Path(path)


def _none(rest: str) -> None:
    if rest:
        raise ValueError


@dataclass(frozen=True, slots=True)
class _Scheme:
    """``form`` is how a URL looks; ``check`` raises ValueError for what follows the scheme in another form."""

    form: str
    check: Callable[[str], object]


# OpenBao's transit engine, say, is one line here and one in ``provider_of``.
_SCHEMES: Mapping[str, _Scheme] = {
    "none": _Scheme("none", _none),
    "file": _Scheme("file:///<keyring file>", path_of),
    "awskms": _Scheme("awskms:alias/<name>?region=<region>[&endpoint=<url>]", Place.of),
}
FORMS = tuple(scheme.form for scheme in _SCHEMES.values())


@dataclass(frozen=True, slots=True)
class Url:
    """A URL of a scheme that is known, in its form; or the word ``none``, which is a scheme without anything."""

    scheme: str
    rest: str


def parse(text: str) -> Url:
    """Raises ValueError when the scheme is unknown or the URL is not in its form."""
    scheme, separator, rest = text.partition(":")
    if scheme not in _SCHEMES or bool(separator) == (scheme == "none"):
        raise ValueError
    _SCHEMES[scheme].check(rest)
    return Url(scheme, rest)
