"""The server's DecryptionContext: with the keys that members left in escrow, where the security mode lets it hold any."""

from __future__ import annotations

import asyncio

from gpuaas.database import Pool
from gpuaas.encryption import escrow, store
from gpuaas.encryption.decryption import DecryptionContext, Opening
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.platform_data import Wrapping
from gpuaas.encryption.refusal import Reason, RefusedError
from gpuaas.encryption.security import MemberKeys, SecurityMode


def context(
    pool: Pool, mode: SecurityMode, member_keys: MemberKeys, environment: str, provider: Wrapping
) -> DecryptionContext:
    """What a dashboard is opened with. It says no purpose, so in STAGING it opens nothing and nothing has to be audited."""

    async def key_of(project: str) -> MemberKey | None:
        if member_keys is MemberKeys.DEVICES:
            return None
        async with pool.connection() as connection:
            for kid, sealed in await store.escrowed(connection, project):
                return await asyncio.to_thread(escrow.open_sealed, sealed, environment, project, kid, provider)
        return None

    async def audit(opening: Opening) -> None:
        raise RefusedError(Reason.PLAINTEXT_PURPOSE, f"event {opening.event_id} was asked for without a purpose")

    return DecryptionContext(mode, key_of, audit)
