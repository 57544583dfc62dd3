"""The members that left their keys with the server, where the security mode lets it have any: it opens as one of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gpuaas.database import Pool
from gpuaas.encryption import escrow, store
from gpuaas.encryption.decryption import DecryptionContext, Opening
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.escrow import Escrowed
from gpuaas.encryption.member import Member
from gpuaas.encryption.platform_data import Wrapping
from gpuaas.encryption.refusal import RefusedError
from gpuaas.encryption.security import MemberKeys, SecurityMode

_log = logging.getLogger(__name__)


class Escrow:
    """Those of all projects of an environment."""

    def __init__(
        self, pool: Pool, mode: SecurityMode, member_keys: MemberKeys, environment: str, provider: Wrapping
    ) -> None:
        self._pool = pool
        self._mode = mode
        self._member_keys = member_keys
        self._environment = environment
        self._provider = provider

    def context(self, audit: Callable[[Opening], Awaitable[None]]) -> DecryptionContext:
        """Opens with their keys; ``audit`` keeps what is told of each opening, where the security mode asks for that."""
        return DecryptionContext(self._mode, self.of, audit)

    async def of(self, chain: Chain) -> Escrowed | None:
        """A member of the newest epoch, if one left its keys here. Raises RefusedError and psycopg.Error."""
        if self._member_keys is MemberKeys.DEVICES or not chain.epochs:
            return None
        async with self._pool.connection() as connection:
            kept = await store.escrowed(connection, chain.project)
        for kid, sealed in kept:
            if kid in chain.current.members:
                # A KMS is asked for it.
                return await asyncio.to_thread(
                    escrow.open_sealed, sealed, self._environment, chain.project, kid, self._provider
                )
        return None

    async def admit(self, project: str, device: Member) -> None:
        """In LOCAL a device of who is logged in is let in at once: all that it will read the server shows to them anyway.

        Elsewhere, and where nobody left keys here that open, it waits for a member to do that. Raises psycopg.Error.
        """
        if self._mode is not SecurityMode.LOCAL:
            return
        try:
            await self._admit(project, device)
        except RefusedError as refused:
            _log.warning("a device was not let in", extra={"fields": {"project": project, "cause": str(refused)}})

    async def _admit(self, project: str, device: Member) -> None:
        async with self._pool.connection() as connection:
            chain = await store.chain(connection, self._environment, project)
        held = await self.of(chain)
        # Who was one and is not any more was removed by a member.
        if held is None or any(device.kid in epoch.members for epoch in chain.epochs):
            return
        members = [*chain.current.members.values(), device]
        before = chain.through(held.pin).unlock(held.key.agree)
        extended = chain.rotated(held.key, members, chain.current.recovery, before)
        async with self._pool.connection() as connection:
            await store.append(connection, self._environment, project, extended.current.record)
