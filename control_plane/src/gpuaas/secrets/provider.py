"""What every provider of secrets is and says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

SETTING = "GPUAAS_SECRETS_SOURCE"


class SecretError(Exception):
    """A secret that cannot be used: one line with its name, never with a value."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"secret {name} {why}")
        self.name = name


class SourceUnavailableError(SecretError):
    """Nothing can be had from the source; to ask for another secret is pointless."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, f"cannot be read: {SETTING} {why}")


class SourceAwayError(SourceUnavailableError):
    """The same of a server that may answer otherwise a moment later; ``refused`` where it answered, but not to us."""

    def __init__(self, name: str, why: str, refused: bool = False) -> None:
        super().__init__(name, why)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Used:
    """Who gave a process its secrets; nothing of it is one.

    ``provider`` is ``files`` or ``infisical``. Of a server it is told which one, which folder was read, and by which
    ``method`` the process logged in: ``oidc`` or ``universal``, empty while it did not. ``read`` are the names of the secrets.
    """

    provider: str
    read: tuple[str, ...]
    server: str = ""
    folder: str = ""
    method: str = ""


class SecretsProvider(Protocol):
    """Something that knows secrets by name."""

    def get(self, name: str) -> str:
        """The value: one line, not empty. Bounded in time; raises SecretError."""

    def used(self) -> Used:
        """What was really read of it so far, and how."""


def missing(name: str) -> SecretError:
    """There is no secret of that name."""
    return SecretError(name, f"is missing from {SETTING}")


def single_line(name: str, value: object) -> str:
    """``value`` without a newline at its end, the same rule for every provider. Raises SecretError."""
    if not isinstance(value, str):
        raise SecretError(name, "is not text")
    line = value.removesuffix("\n")
    if not line:
        raise SecretError(name, "is empty")
    if "\n" in line or "\r" in line or "\0" in line:
        raise SecretError(name, "is not a single line")
    return line
