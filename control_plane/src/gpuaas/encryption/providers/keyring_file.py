"""A keyring's file: read with suspicion, replaced as a whole, by one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Generator
from pathlib import Path

from gpuaas.encryption.providers.keyring import Keyring
from gpuaas.encryption.refusal import Reason, RefusedError

FILE_BYTES = 65536
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# What an orchestrator delivers belongs to it, and is readable by our group.
_DELIVERED = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO


def read(path: Path, environment: str) -> Keyring:
    """The keyring in ``path``. Raises RefusedError as ``content`` does, and ``root_file_environment``."""
    ring = Keyring.parse(content(path), str(path))
    if ring.environment not in ("", environment):
        raise RefusedError(Reason.ROOT_FILE_ENVIRONMENT, f"{path} is of {ring.environment}, this is {environment}")
    return ring


def content(path: Path) -> bytes:
    """What is in ``path``, which only its owner may read, or the group that it was delivered to.

    Raises RefusedError: ``root_file_missing``, ``root_file_unreadable``, ``root_file_open_to_others``,
    ``root_file_malformed``.
    """
    try:
        # A pipe would block here for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise RefusedError(Reason.ROOT_FILE_MISSING, f"{path} does not exist") from None
    except OSError as error:
        raise RefusedError(Reason.ROOT_FILE_UNREADABLE, f"{path}: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError(Reason.ROOT_FILE_UNREADABLE, f"{path} is no regular file")
        if stat.S_IMODE(status.st_mode) & (_OTHERS if status.st_uid == os.geteuid() else _DELIVERED):
            raise RefusedError(Reason.ROOT_FILE_OPEN_TO_OTHERS, f"{path} has mode {stat.S_IMODE(status.st_mode):04o}")
        text = _text(descriptor)
    finally:
        os.close(descriptor)
    if len(text) > FILE_BYTES:
        raise RefusedError(Reason.ROOT_FILE_MALFORMED, f"{path} is longer than {FILE_BYTES} bytes")
    return text


def _text(descriptor: int) -> bytes:
    """One byte more than a keyring may have shows that there is more."""
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(FILE_BYTES + 1)


@contextlib.contextmanager
def locked(path: Path) -> Generator[None]:
    """Nobody else writes ``path`` meanwhile; the lock ends with the process that has it.

    Raises RefusedError: ``root_rotation_busy``, ``root_file_unwritable``.
    """
    try:
        lock = os.open(_beside(path, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise RefusedError(Reason.ROOT_FILE_UNWRITABLE, f"{path.parent}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise RefusedError(Reason.ROOT_ROTATION_BUSY, f"another process is writing {path}") from None
    finally:
        os.close(lock)


def replace(path: Path, ring: Keyring) -> None:
    """Write ``ring`` in the place of what is there: at every moment ``path`` has the old content or the new one, whole.

    What a crash leaves beside it is overwritten by the next one. Raises RefusedError ``root_file_unwritable``.
    """
    new = _beside(path, "new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(ring.text())
            file.flush()
            os.fsync(descriptor)
        os.replace(new, path)
        _sync(path.parent)
    except OSError as error:
        raise RefusedError(Reason.ROOT_FILE_UNWRITABLE, f"{path}: {error.strerror}") from None


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.{what}")
