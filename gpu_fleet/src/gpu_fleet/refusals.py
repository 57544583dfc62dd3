"""What the fleet says no to."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Stable reasons."""

    NOT_FOUND = "not_found"
    NO_CAPACITY = "no_capacity"
    INSTANCE_RESERVED = "instance_reserved"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    PRECONDITION_FAILED = "precondition_failed"
    BUSY = "busy"
    WRONG_STATE = "wrong_state"


class RefusedError(Exception):
    """A command without an effect."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
