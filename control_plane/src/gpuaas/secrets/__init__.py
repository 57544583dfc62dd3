"""Where secrets come from: one interface, and a provider for each scheme of the source's URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from gpuaas.secrets import infisical, local
from gpuaas.secrets.provider import SecretError, SecretsProvider, SourceAwayError, SourceUnavailableError, Used

__all__ = [
    "FORMS",
    "SecretError",
    "SecretsProvider",
    "Source",
    "SourceAwayError",
    "SourceUnavailableError",
    "Used",
    "parse",
]


@dataclass(frozen=True, slots=True)
class _Scheme:
    """``form`` is how a URL looks; ``provider`` touches nothing yet and raises ValueError for another form."""

    form: str
    provider: Callable[[SplitResult, Path], SecretsProvider]


# Another store (OpenBao, say) is one line here and a module beside the others.
_SCHEMES: Mapping[str, _Scheme] = {
    "file": _Scheme("file:///<directory or file>", local.at),
    "infisical+https": _Scheme("infisical+https://<host>/<project>/<environment>/<path>", infisical.at),
}
FORMS = tuple(scheme.form for scheme in _SCHEMES.values())


@dataclass(frozen=True, slots=True)
class Source:
    """A URL of a scheme that is known, in its form."""

    url: str

    def provider(self, ca_file: Path) -> SecretsProvider:
        """Who is asked; servers are verified with ``ca_file`` alone. Reads nothing before the first secret."""
        parts = urlsplit(self.url)
        return _SCHEMES[parts.scheme].provider(parts, ca_file)


def parse(url: str) -> Source:
    """The source of a URL. Raises ValueError when the scheme is unknown or the URL is not in its form."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError
    source = Source(url)
    source.provider(Path("/"))
    return source
