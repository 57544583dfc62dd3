"""No root key: a server that holds none cannot be made to open anything with it."""

from __future__ import annotations

from typing import NoReturn

from gpuaas.encryption.providers.provider import Context, Root
from gpuaas.encryption.refusal import Reason, RefusedError


class NoKeyProvider:
    """Refuses whatever needs a root key."""

    scheme = "none"

    def wrap(self, key: bytes, context: Context) -> bytes:
        """Refused."""
        _refuse("wrap a key")

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """Refused."""
        _refuse("unwrap a key")

    def rewrap(self, wrapped: bytes, context: Context) -> bytes:
        """Refused."""
        _refuse("rewrap a key")

    def public(self) -> Root:
        """Nothing."""
        return Root(self.scheme, "", ())

    def rotate(self) -> Root:
        """Refused."""
        _refuse("rotate")


def _refuse(what: str) -> NoReturn:
    raise RefusedError(Reason.ROOT_NONE, f"asked to {what}, and this process has no root key")
