"""Members that nobody is: made up for a demo project, with all their keys in escrow, so that its data can be sealed and shown."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas.encryption import escrow, instance, store, tenant
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.escrow import Escrowed
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.platform_data import Wrapping


@dataclass(frozen=True, slots=True)
class Founder:
    """A member whose keys are in escrow, who seals and no more; ``made`` says that it was not one before."""

    _key: MemberKey
    _chain: Chain
    made: bool

    def seal(self, plaintext: bytes, instance_id: uuid.UUID, name: str) -> str:
        """``plaintext`` as what is private of an instance of its project. Raises RefusedError."""
        binding = instance.binding(self._chain.environment, self._chain.project, instance_id, name)
        return tenant.seal(plaintext, binding, self._key, self._chain.current)


async def found(
    connection: AsyncConnection[DictRow], environment: str, project: str, names: Sequence[str], provider: Wrapping
) -> Founder | None:
    """Make the first epoch of a project with members of these names; once it has one, whoever made it, nothing is changed.

    None where it has none of whom the keys are in escrow. Members and epoch are one transaction. Raises RefusedError where keys
    in escrow do not open, or their pin is not of this chain.
    """
    async with connection.transaction():
        await store.alone(connection, project)
        chain = await store.chain(connection, environment, project)
        if chain.epochs:
            return await _kept(connection, chain, provider)
        keys = [MemberKey.generate(environment, name) for name in names]
        chain = Chain.begin(keys[0], project, [key.public for key in keys[1:]])
        for key in keys:
            held = Escrowed(key, chain.current.pin)
            sealed = await asyncio.to_thread(escrow.seal, held, project, provider)
            await store.add_member(connection, project, key.public, sealed)
        await store.append(connection, environment, project, chain.current.record)
    return Founder(keys[0], chain, made=True)


async def _kept(connection: AsyncConnection[DictRow], chain: Chain, provider: Wrapping) -> Founder | None:
    """The first of who is a member, after all of them were opened: what does not open is better found now."""
    found: list[MemberKey] = []
    for kid, sealed in await store.escrowed(connection, chain.project):
        if kid in chain.current.members:
            held = await asyncio.to_thread(escrow.open_sealed, sealed, chain.environment, chain.project, kid, provider)
            chain.through(held.pin)
            found.append(held.key)
    return Founder(found[0], chain, made=False) if found else None
