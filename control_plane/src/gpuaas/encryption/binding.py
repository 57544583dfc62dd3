"""What a sealed record is bound to: it opens as this, and as nothing else."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Self

from gpuaas.encryption.refusal import Reason, RefusedError


class DataClass(StrEnum):
    """Whose data it is. Metadata (project, GPU type and count, state, times) is the third class: it is not sealed."""

    TENANT = "tenant"
    PLATFORM = "platform"


# ASCII alone: both libraries then write the header's JSON alike, byte by byte (RFC 7516, section 5.1, step 13).
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONGEST = 63
_LAST_VERSION = 999


@dataclass(frozen=True, slots=True)
class Binding:
    """``event_id`` is chosen by who seals, a UUID; ``type`` says what the plaintext is, in ``schema_version`` of that.

    Raises RefusedError.
    """

    environment: str
    data_class: DataClass
    project: str
    event_id: str
    type: str
    schema_version: int

    def __post_init__(self) -> None:
        good = (
            isinstance(self.data_class, DataClass)
            and _matches(_NAME, self.environment)
            and _matches(_NAME, self.project)
            and _matches(_UUID, self.event_id)
            and _matches(_TYPE, self.type)
            and isinstance(self.schema_version, int)
            and not isinstance(self.schema_version, bool)
            and 1 <= self.schema_version <= _LAST_VERSION
        )
        if not good:
            raise RefusedError(Reason.BINDING_INVALID, f"a record cannot be bound to {asdict(self)}")

    def members(self) -> dict[str, str | int]:
        """As a header has it."""
        return {**asdict(self), "data_class": self.data_class.value}

    def context(self) -> dict[str, str]:
        """As a KeyProvider is told of it: text alone."""
        return {name: str(value) for name, value in self.members().items()}

    @classmethod
    def of(cls, members: dict[str, object]) -> Self:
        """The binding that a header tells of, which must have exactly its members. Raises RefusedError."""
        if members.keys() != cls.__dataclass_fields__.keys() or members["data_class"] not in list(DataClass):
            raise RefusedError(Reason.BINDING_INVALID, "the header binds something else than it should")
        return cls(**{**members, "data_class": DataClass(str(members["data_class"]))})  # type: ignore[arg-type]


def _matches(pattern: re.Pattern[str], text: object) -> bool:
    return isinstance(text, str) and len(text) <= _LONGEST and pattern.fullmatch(text) is not None
