"""The one way to a tenant's plaintext in server code.

What the server may open is the security mode's to say: in LOCAL for a member of the project who is logged in, in STAGING
for who has the role and says a purpose, after an audit event, and in PROD for nobody. There it holds no key either; that
it does not even try is what this says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from gpuaas.encryption import tenant
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.escrow import Escrowed
from gpuaas.encryption.refusal import Reason, RefusedError
from gpuaas.encryption.security import SecurityMode

ROLE = "decryptor"
_LONGEST_PURPOSE = 200


class Caller(Protocol):
    """Who asks, as the API knows who is logged in."""

    @property
    def subject(self) -> str: ...

    @property
    def roles(self) -> frozenset[str]: ...

    @property
    def projects(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Envelope:
    """A stored envelope, what it is expected to be, and the epochs of its project."""

    text: str
    expected: tenant.Expected
    chain: Chain


@dataclass(frozen=True, slots=True)
class Opening:
    """What an audit event tells of: who is about to read what, and what for."""

    subject: str
    project: str
    event_id: str
    type: str
    purpose: str


@dataclass(frozen=True, slots=True, repr=False)
class Plain:
    """What was sealed. Made here alone."""

    content: bytes
    mode: SecurityMode

    def __post_init__(self) -> None:
        if self.mode is SecurityMode.PROD:
            raise RefusedError(Reason.PLAINTEXT_NOT_HERE, "there is no plaintext in PROD")


@dataclass(frozen=True, slots=True)
class Sealed:
    """It stays sealed, and why."""

    reason: Reason


class DecryptionContext:
    """Opens as ``mode`` allows, with what ``held_of`` finds for a project's epochs: the keys and the pin of a member, or none.

    ``audit`` returns when the event is kept; what cannot be audited is not opened.
    """

    def __init__(
        self,
        mode: SecurityMode,
        held_of: Callable[[Chain], Awaitable[Escrowed | None]],
        audit: Callable[[Opening], Awaitable[None]],
    ) -> None:
        self._mode = mode
        self._held_of = held_of
        self._audit = audit

    async def open(self, envelope: Envelope, caller: Caller, purpose: str) -> Plain | Sealed:
        """The plaintext, if ``caller`` may have it here, or the reason why it stays sealed."""
        binding = envelope.expected.binding
        if (reason := self._forbidden(binding.project, caller, purpose)) is not None:
            return Sealed(reason)
        try:
            checked = tenant.check(envelope.text, envelope.expected, envelope.chain)
            held = await self._held_of(envelope.chain)
            if held is None:
                return Sealed(Reason.PLAINTEXT_NO_KEY)
            keys = envelope.chain.through(held.pin).unlock(held.key.agree)
            if self._mode is SecurityMode.STAGING:
                await self._audit(Opening(caller.subject, binding.project, binding.event_id, binding.type, purpose))
            return Plain(checked.open_with(keys), self._mode)
        except RefusedError as refused:
            return Sealed(refused.reason)

    def _forbidden(self, project: str, caller: Caller, purpose: str) -> Reason | None:
        if self._mode is SecurityMode.PROD:
            return Reason.PLAINTEXT_NOT_HERE
        if project not in caller.projects:
            return Reason.PLAINTEXT_NOT_A_MEMBER
        if self._mode is SecurityMode.STAGING:
            if ROLE not in caller.roles:
                return Reason.PLAINTEXT_ROLE
            if not purpose.strip() or len(purpose) > _LONGEST_PURPOSE:
                return Reason.PLAINTEXT_PURPOSE
        return None
