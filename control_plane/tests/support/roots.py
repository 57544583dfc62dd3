"""Root keys for tests: of one scheme, and files with keyrings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpuaas.encryption.providers import KeyProvider
from gpuaas.encryption.providers.file import FileKeyProvider

ENVIRONMENT = "gpuaas.localhost"


@dataclass(frozen=True)
class Roots:
    """``provider`` is the one under test, ``again`` is it once more, ``another`` is of another root key of its scheme."""

    provider: KeyProvider
    again: Callable[[], KeyProvider]
    another: KeyProvider


def created(path: Path) -> Path:
    """``path``, with a new keyring in it."""
    FileKeyProvider(path, ENVIRONMENT).create()
    return path
