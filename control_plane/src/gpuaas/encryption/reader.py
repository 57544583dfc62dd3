"""A member's device as a reader of what a server sends, which it believes nothing.

It knows its own keys and one pin. It remembers the newest epoch that it saw, so that no server takes it back, and the
records that it opened, so that none is opened as a second one.
"""

from __future__ import annotations

from collections.abc import Sequence

from gpuaas.encryption import tenant
from gpuaas.encryption.epoch import Chain, Pin
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.refusal import Reason, RefusedError


class Reader:
    """Opens the records of one project for the owner of ``key``, who trusts ``pin``."""

    def __init__(self, key: MemberKey, project: str, pin: Pin) -> None:
        self._key = key
        self._project = project
        self._opened: set[str] = set()
        self.pin = pin

    def learn(self, records: Sequence[str]) -> Chain:
        """The project's epochs, with their newest one pinned from now on. Raises RefusedError."""
        chain = Chain.verified(self._key.environment, self._project, records, self.pin)
        self.pin = chain.current.pin
        return chain

    def open(self, envelope: str, expected: tenant.Expected, records: Sequence[str]) -> bytes:
        """The plaintext of what was expected, once. Raises RefusedError."""
        chain = self.learn(records)
        checked = tenant.check(envelope, expected, chain)
        if expected.binding.event_id in self._opened:
            raise RefusedError(Reason.ENVELOPE_REPLAYED, f"event {expected.binding.event_id} was opened before")
        plaintext = checked.open_with(chain.unlock(self._key.agree))
        self._opened.add(expected.binding.event_id)
        return plaintext
