"""Which versions of a root key have to stay, and which may go, given every wrapped key that there is."""

from __future__ import annotations

from collections.abc import Iterable

from gpuaas.encryption.providers.provider import Root
from gpuaas.encryption.providers.wrapped import Wrapped
from gpuaas.encryption.refusal import Reason, RefusedError


def needed(root: Root, wrapped: Iterable[bytes]) -> frozenset[str]:
    """The versions that one of ``wrapped`` names, and the primary one.

    Raises RefusedError rather than guess: ``wrapped_key_malformed`` for what names nothing, ``root_another`` and
    ``root_version_missing`` for what ``root`` does not open: whoever asks looks at another root key than data need.
    """
    found = {root.primary}
    for blob in wrapped:
        one = Wrapped.decode(blob)
        if one.scheme != root.scheme:
            raise RefusedError(
                Reason.ROOT_ANOTHER, f"wrapped by a root key of {one.scheme}, this one is of {root.scheme}"
            )
        if root.versions and one.version not in root.versions:
            raise RefusedError(
                Reason.ROOT_VERSION_MISSING, f"wrapped by version {one.version}, which this root key has not"
            )
        found.add(one.version)
    return frozenset(found)


def unneeded(root: Root, wrapped: Iterable[bytes]) -> tuple[str, ...]:
    """The versions that may go, oldest first. Raises RefusedError as ``needed`` does."""
    stay = needed(root, wrapped)
    return tuple(version for version in root.versions if version not in stay)
