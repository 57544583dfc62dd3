# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is to know of a type of secret."""

from __future__ import annotations

from typing import Any, Protocol

# Of 32 random characters fewer than ten distinct ones do not happen; of typed ones they do.
DISTINCT = 10

# ansible-test checks module_utils for Python 3.9, on which no module of this collection runs.
Version = int | None  # pylint: disable=unsupported-binary-operation
"""The version of a key in a keyring; None for a key by itself."""
Keys = dict[Version, bytes]


class SecretType(Protocol):
    """A type. A value is a text, as its consumer finds it in a file; ``stored`` is the same value as secrets.yml holds it."""

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of a stored value, with a title that says what it must be."""

    @property
    def size(self) -> int:
        """Random bytes that a new part is made of."""

    @property
    def context(self) -> str:
        """What HKDF's info calls the type. A change would change every value that is derived from a seed or a secret."""

    @property
    def part(self) -> SecretType:
        """The type of what a rotation brings: the value itself, or one version of it."""

    @property
    def grows(self) -> bool:
        """Whether a new part is added to the value, rather than put in its place."""

    @property
    def derivable(self) -> bool:
        """Whether a value may be derived from another secret."""

    @property
    def derives(self) -> bool:
        """Whether other secrets may be derived from it."""

    @property
    def wraps(self) -> bool:
        """Whether other secrets may be wrapped by it."""

    def encode(self, raw: bytes) -> str:
        """The part that is made of ``size`` bytes."""

    def renew(self, old: str | None, part: str) -> str:
        """The value after ``part`` came to ``old``, or the first one."""

    def stored(self, value: str) -> Any:
        """The value as secrets.yml holds it."""

    def text(self, stored: Any) -> str:
        """The value of what secrets.yml holds and ``schema`` admits."""

    def fault(self, value: str) -> str:
        """Why a value of the right shape is refused; empty when it is not."""

    def keys(self, value: str) -> tuple[Version, Keys]:
        """The version that wraps and derives now, and every key by version, for a type that does."""
