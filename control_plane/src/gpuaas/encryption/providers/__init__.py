"""Root keys by URL: one interface, and a provider for each scheme."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gpuaas.encryption.providers.awskms import AwsKmsKeyProvider, Place
from gpuaas.encryption.providers.file import FileKeyProvider, path_of
from gpuaas.encryption.providers.none import NoKeyProvider
from gpuaas.encryption.providers.provider import Context, KeyProvider, Root
from gpuaas.encryption.providers.unneeded import needed, unneeded

__all__ = ["FORMS", "Context", "KeyProvider", "Root", "Url", "needed", "parse", "provider_of", "unneeded"]


@dataclass(frozen=True, slots=True)
class _Scheme:
    """``form`` is how a URL looks; ``provider`` touches nothing yet and raises ValueError for another form."""

    form: str
    provider: Callable[[str, str, Path | None], KeyProvider]


# OpenBao's transit engine, say, is one line here and a module beside the others.
_SCHEMES: Mapping[str, _Scheme] = {
    "none": _Scheme("none", lambda _rest, _environment, _ca_file: NoKeyProvider()),
    "file": _Scheme(
        "file:///<keyring file>", lambda rest, environment, _ca_file: FileKeyProvider(path_of(rest), environment)
    ),
    "awskms": _Scheme(
        "awskms:alias/<name>?region=<region>[&endpoint=<url>]",
        lambda rest, _environment, ca_file: AwsKmsKeyProvider(Place.of(rest), ca_file),
    ),
}
FORMS = tuple(scheme.form for scheme in _SCHEMES.values())


@dataclass(frozen=True, slots=True)
class Url:
    """A URL of a scheme that is known, in its form; or the word ``none``."""

    text: str

    @property
    def scheme(self) -> str:
        """``file``, ``awskms`` or ``none``."""
        return self.text.partition(":")[0]


def parse(text: str) -> Url:
    """Raises ValueError when the scheme is unknown or the URL is not in its form."""
    url = Url(text)
    provider_of(url, "")
    return url


def provider_of(url: Url, environment: str, ca_file: Path | None = None) -> KeyProvider:
    """The provider of the root key of ``environment``; it reads and asks nothing yet.

    ``ca_file`` verifies a KMS that is not AWS's own. Raises ValueError as ``parse`` does.
    """
    scheme, separator, rest = url.text.partition(":")
    if scheme not in _SCHEMES or bool(separator) == (scheme == NoKeyProvider.scheme):
        raise ValueError
    return _SCHEMES[scheme].provider(rest, environment, ca_file)
