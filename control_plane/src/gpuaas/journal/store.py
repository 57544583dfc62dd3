"""Where the journal is, as one URL says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

if TYPE_CHECKING:
    from gpuaas.journal.journal import Journal

DYNAMODB, AWS, SQLITE = "dynamodb+https", "dynamodb", "sqlite"
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_REGION = re.compile(r"[a-z0-9-]{1,63}")


@dataclass(frozen=True, slots=True)
class Access:
    """What a server is shown and verified with: a key of AWS, a client certificate, and the platform's CA."""

    key: tuple[str, str]
    certificate: Path
    ca_file: Path


@dataclass(frozen=True, slots=True)
class _Scheme:
    form: str
    check: Callable[[SplitResult], object]


@dataclass(frozen=True, slots=True)
class JournalStore:
    """A URL of a scheme that is known, in its form."""

    url: str

    @property
    def is_file(self) -> bool:
        """It is a file of this machine, and no server."""
        return self._parts.scheme == SQLITE

    def journal(self, access: Access | None) -> Journal:
        """The store; a file needs no access. Nothing is connected yet."""
        # boto3 has tens of megabytes, that only those have to carry who ask it.
        if self.is_file:
            from gpuaas.journal.sqlite import SQLiteJournal

            return SQLiteJournal(_path(self._parts))
        from gpuaas.journal.dynamodb import DynamoDBJournal

        assert access is not None
        if self._parts.scheme == AWS:
            region, table = _aws(self._parts)
            return DynamoDBJournal(region, table, access.key)
        host, region, table = _server(self._parts)
        return DynamoDBJournal(region, table, access.key, f"https://{host}", access.ca_file, access.certificate)

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)


def parse(url: str) -> JournalStore:
    """The store of a URL. Raises ValueError when the scheme is unknown or the URL is not in its form."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError
    _SCHEMES[parts.scheme].check(parts)
    return JournalStore(url)


def _server(url: SplitResult) -> tuple[str, str, str]:
    if not url.hostname or url.port == 0:
        raise ValueError
    region, table = _names(url.path.removeprefix("/"))
    return url.netloc, region, table


def _aws(url: SplitResult) -> tuple[str, str]:
    return _names(f"{url.netloc}{url.path}")


def _names(text: str) -> tuple[str, str]:
    region, _slash, table = text.partition("/")
    if not _REGION.fullmatch(region) or not _TABLE.fullmatch(table):
        raise ValueError
    return region, table


def _path(url: SplitResult) -> Path:
    path = unquote(url.path)
    if url.netloc or not path.startswith("/") or "\0" in path:
        raise ValueError
    return Path(path)


_SCHEMES = {
    DYNAMODB: _Scheme("dynamodb+https://<host>[:port]/<region>/<table>", _server),
    AWS: _Scheme("dynamodb://<region>/<table>", _aws),
    SQLITE: _Scheme("sqlite:///<path>", _path),
}
FORMS = tuple(scheme.form for scheme in _SCHEMES.values())
