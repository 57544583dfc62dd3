"""A root key in a file: AES-256-GCM (NIST SP 800-38D) with a random nonce, and the context as associated data.

At most 2^32 keys may be wrapped by one version, since nonces are random (SP 800-38D 8.3).
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gpuaas.encryption.providers import keyring_file
from gpuaas.encryption.providers.keyring import Keyring, key_id
from gpuaas.encryption.providers.provider import Context, Root
from gpuaas.encryption.providers.wrapped import Wrapped, canonical, checked_key
from gpuaas.encryption.refusal import Reason, RefusedError

_NONCE_BYTES = 12


class FileKeyProvider:
    """``path`` is read for each call, so a version that another process adds counts at once."""

    scheme = "file"

    def __init__(self, path: Path, environment: str) -> None:
        self._path = path
        self._environment = environment

    def __repr__(self) -> str:
        return f"FileKeyProvider({str(self._path)!r}, {self._environment!r})"

    def create(self) -> Root:
        """A first version, where there is no file. Never done by itself: a missing file may be a lost one.

        Raises RefusedError: ``root_file_exists``, ``root_rotation_busy``, ``root_file_unwritable``.
        """
        with keyring_file.locked(self._path):
            if os.path.lexists(self._path):
                raise RefusedError(Reason.ROOT_FILE_EXISTS, f"{self._path} exists")
            ring = Keyring.first(self._environment)
            keyring_file.replace(self._path, ring)
        return _public(ring)

    def wrap(self, key: bytes, context: Context) -> bytes:
        """Raises RefusedError: every reason of reading the file, ``wrapped_key_size``, ``wrapped_key_context``."""
        ring = self._read()
        return _wrap(ring, checked_key(key), canonical(context))

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """Raises RefusedError: also ``wrapped_key_malformed``, ``wrapped_key_refused``, ``root_another``, ``root_version_missing``."""
        one, bound = Wrapped.decode(wrapped), canonical(context)
        return _unwrap(self._read(), one, bound)

    def rewrap(self, wrapped: bytes, context: Context) -> bytes:
        """Raises RefusedError as ``unwrap`` does: what is under the primary version already is opened as well."""
        one, bound = Wrapped.decode(wrapped), canonical(context)
        ring = self._read()
        key = _unwrap(ring, one, bound)
        return wrapped if one.version == str(ring.primary) else _wrap(ring, key, bound)

    def public(self) -> Root:
        """Raises RefusedError: every reason of reading the file."""
        return _public(self._read())

    def rotate(self) -> Root:
        """Raises RefusedError: every reason of reading the file, ``root_rotation_busy``, ``root_file_unwritable``."""
        with keyring_file.locked(self._path):
            ring = self._read().grown()
            keyring_file.replace(self._path, ring)
        return _public(ring)

    def _read(self) -> Keyring:
        return keyring_file.read(self._path, self._environment)


def _public(ring: Keyring) -> Root:
    return Root(FileKeyProvider.scheme, str(ring.primary), tuple(map(str, sorted(ring.keys))))


def _wrap(ring: Keyring, key: bytes, bound: bytes) -> bytes:
    root = ring.keys[ring.primary]
    named = Wrapped(FileKeyProvider.scheme, key_id(root), str(ring.primary), b"")
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(root).encrypt(nonce, key, named.prefix + bound)
    return Wrapped(named.scheme, named.root, named.version, nonce + sealed).encode()


def _unwrap(ring: Keyring, one: Wrapped, bound: bytes) -> bytes:
    if one.scheme != FileKeyProvider.scheme:
        raise RefusedError(Reason.ROOT_ANOTHER, f"wrapped by a root key of {one.scheme}, this one is in a file")
    root = ring.keys.get(int(one.version)) if one.version.isdecimal() and len(one.version) < 10 else None
    if root is None:
        raise RefusedError(Reason.ROOT_VERSION_MISSING, f"wrapped by version {one.version}, which the keyring has not")
    if key_id(root) != one.root:
        raise RefusedError(
            Reason.ROOT_ANOTHER, f"wrapped by root key {one.root}, version {one.version} is {key_id(root)}"
        )
    nonce, sealed = one.body[:_NONCE_BYTES], one.body[_NONCE_BYTES:]
    try:
        return AESGCM(root).decrypt(nonce, sealed, one.prefix + bound)
    except (InvalidTag, ValueError):
        raise RefusedError(Reason.WRAPPED_KEY_REFUSED, "it does not open with this context") from None
