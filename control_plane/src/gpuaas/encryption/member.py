"""Who writes and reads a project's records: a device of a user, with one pair of keys to sign and one to agree.

Two pairs, as NIST SP 800-57 part 1, section 5.2, asks: a key has one use.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from joserfc.jwk import ECKey

from gpuaas.encryption import keys, strict
from gpuaas.encryption.binding import is_name
from gpuaas.encryption.refusal import Kind, Reason, RefusedError

FILE_VERSION = 1
_MODE = 0o600
_LONGEST_FILE = 4096
_FILE = {"version", "environment", "name", "sign", "agree"}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Member:
    """What others know of a member. ``kid`` is the thumbprint of its key to sign: a name is not enough to be somebody."""

    name: str
    sign: ECKey
    agree: ECKey

    @property
    def kid(self) -> str:
        return keys.kid(self.sign)

    def __repr__(self) -> str:
        return f"Member({self.kid})"

    def members(self) -> dict[str, object]:
        """As a record of an epoch has it."""
        return {"name": self.name, "sign": keys.public(self.sign), "agree": keys.public(self.agree)}

    @classmethod
    def of(cls, given: object) -> Self:
        """The member that a record tells of. Raises RefusedError."""
        if not isinstance(given, dict) or given.keys() != {"name", "sign", "agree"} or not is_name(given["name"]):
            raise RefusedError(Reason.EPOCH_MALFORMED, "the epoch has a member that is not a name and two keys")
        sign, agree = (keys.read_public(given[use], Kind.EPOCH) for use in ("sign", "agree"))
        if keys.kid(sign) == keys.kid(agree):
            raise RefusedError(Reason.EPOCH_MALFORMED, "the epoch has a member with one key for two uses")
        return cls(given["name"], sign, agree)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class MemberKey:
    """A member's private halves, for one environment."""

    environment: str
    name: str
    sign: ECKey
    agree: ECKey

    @classmethod
    def generate(cls, environment: str, name: str) -> Self:
        """A new member, that is one nowhere yet."""
        return cls(environment, name, keys.generate(), keys.generate())

    @property
    def public(self) -> Member:
        return Member(self.name, self.sign, self.agree)

    @property
    def kid(self) -> str:
        return keys.kid(self.sign)

    def __repr__(self) -> str:
        return f"MemberKey({self.kid})"

    def serialized(self) -> bytes:
        """All of it: to be wrapped, or written where its owner alone reads."""
        document = {
            "version": FILE_VERSION,
            "environment": self.environment,
            "name": self.name,
            "sign": keys.private(self.sign),
            "agree": keys.private(self.agree),
        }
        return json.dumps(document, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, text: bytes, environment: str) -> Self:
        """What ``serialized`` gave. Raises RefusedError."""
        try:
            given = strict.read(text, Kind.ENVELOPE)
            if given.keys() != _FILE or given["version"] != FILE_VERSION or not is_name(given["name"]):
                raise RefusedError(Reason.KEY_FILE_MALFORMED, "other members than a key file of version 1 has")
            sign, agree = (keys.read_private(given[use], Kind.ENVELOPE) for use in ("sign", "agree"))
        except RefusedError:
            raise RefusedError(
                Reason.KEY_FILE_MALFORMED, "it does not hold a member's two keys, or ends too early"
            ) from None
        if given["environment"] != environment:
            raise RefusedError(Reason.KEY_FILE_ENVIRONMENT, f"it is not of environment {environment}")
        return cls(environment, str(given["name"]), sign, agree)

    def save(self, path: Path) -> None:
        """Write a new file that its owner alone reads, whole or not at all. Raises FileExistsError."""
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self.serialized())
                file.flush()
                os.fsync(file.fileno())
            os.link(unfinished, path)  # Refuses to replace a key, which could not be had back.
        finally:
            unfinished.unlink()

    @classmethod
    def load(cls, path: Path, environment: str) -> Self:
        """What ``save`` wrote. Raises RefusedError."""
        try:
            # Not to wait for who writes to a pipe.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise RefusedError(Reason.KEY_FILE_MISSING, f"{path}: {error.strerror}") from None
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > _LONGEST_FILE:
                raise RefusedError(Reason.KEY_FILE_MALFORMED, f"{path} is not a file of at most {_LONGEST_FILE} bytes")
            if stat.S_IMODE(found.st_mode) & 0o077:
                raise RefusedError(Reason.KEY_FILE_OPEN_TO_OTHERS, f"{path} has mode {stat.S_IMODE(found.st_mode):04o}")
            text = os.read(descriptor, _LONGEST_FILE)
        finally:
            os.close(descriptor)
        try:
            return cls.read(text, environment)
        except RefusedError as refused:
            raise RefusedError(refused.reason, f"{path}: {refused.seen}") from None
