"""What every provider of a root key does, wherever the key is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Context = Mapping[str, str]
"""What a wrapped key is bound to. It is not kept with the key: who unwraps has to know it."""

KEY_BYTES = 4096
"""At most so many are wrapped at once, as AWS KMS has it."""


@dataclass(frozen=True, slots=True)
class Root:
    """What may be told of a root key: where it is, the version that wraps now, and all that unwrap, oldest first.

    ``versions`` is empty where the KMS alone knows them.
    """

    scheme: str
    primary: str
    versions: tuple[str, ...]


class KeyProvider(Protocol):
    """Wraps keys with a root key that never leaves it. Calls block: for a moment, or as long as a KMS takes, which is bounded.

    Every method raises RefusedError with the reason; nothing is lost by a call that was refused or interrupted.
    """

    @property
    def scheme(self) -> str:
        """``file``, ``awskms`` or ``none``."""

    def wrap(self, key: bytes, context: Context) -> bytes:
        """``key``, readable with the root key and exactly ``context`` alone. Names the root key's version."""

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """The key, whichever version of the root key wrapped it."""

    def rewrap(self, wrapped: bytes, context: Context) -> bytes:
        """The same key wrapped by the version that wraps now; the same bytes where it is already."""

    def public(self) -> Root:
        """The root key without its secret."""

    def rotate(self) -> Root:
        """Make a new version the one that wraps. The old ones unwrap as before."""
