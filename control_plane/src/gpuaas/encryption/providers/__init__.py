"""Root keys by URL: one interface, and a provider for each scheme."""

from __future__ import annotations

from pathlib import Path

from gpuaas.encryption.providers.provider import Context, KeyProvider, Root
from gpuaas.encryption.providers.unneeded import needed, unneeded
from gpuaas.encryption.providers.url import Place, Url, parse, path_of

__all__ = ["Context", "KeyProvider", "Root", "Url", "needed", "parse", "provider_of", "unneeded"]


def provider_of(url: Url, environment: str, ca_file: Path | None = None) -> KeyProvider:
    """The provider of the root key of ``environment``; it reads and asks nothing yet.

    ``ca_file`` verifies a KMS that is not AWS's own.
    """
    # Each brings libraries that only it may cost.
    match url.scheme:
        case "file":
            from gpuaas.encryption.providers.file import FileKeyProvider

            return FileKeyProvider(path_of(url.rest), environment)
        case "awskms":
            from gpuaas.encryption.providers.awskms import AwsKmsKeyProvider

            return AwsKmsKeyProvider(Place.of(url.rest), ca_file)
        case _:
            from gpuaas.encryption.providers.none import NoKeyProvider

            return NoKeyProvider()
