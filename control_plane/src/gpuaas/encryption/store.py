"""Epochs and members of projects in Postgres. A record is one insert: a rotation that is interrupted did not happen."""

from __future__ import annotations

import functools

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from gpuaas.encryption import tenant
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.member import Member
from gpuaas.encryption.refusal import Reason, RefusedError

# The two halves of an advisory lock: ours, and a hash of the project.
_LOCK = 0x65706F63  # "epoc"


async def records(connection: AsyncConnection[DictRow], project: str) -> list[str]:
    """The records of a project's epochs, the first one first."""
    rows = await connection.execute("SELECT record FROM epochs WHERE project = %s ORDER BY number", [project])
    return [row["record"] for row in await rows.fetchall()]


async def append(connection: AsyncConnection[DictRow], environment: str, project: str, record: str) -> Chain:
    """Add an epoch that follows on the newest; waits for envelopes that are being stored under that one.

    Raises RefusedError: ``epoch_conflict`` when another one was first.
    """
    async with connection.transaction():
        await alone(connection, project)
        kept = await records(connection, project)
        chain = _trusted(environment, project, tuple(kept))
        if kept and record == kept[-1]:
            return chain  # Somebody repeats it, to whom no answer came.
        try:
            extended = chain.extended(record)
        except RefusedError as refused:
            if refused.reason is Reason.EPOCH_CHAIN:
                raise RefusedError(Reason.EPOCH_CONFLICT, f"the newest epoch is {len(kept)}") from None
            raise
        number = extended.current.number
        await connection.execute(
            "INSERT INTO epochs (project, number, record) VALUES (%s, %s, %s)", [project, number, record]
        )
    return extended


async def alone(connection: AsyncConnection[DictRow], project: str) -> None:
    """Until the transaction ends no other one begins an epoch of the project, or stores what is sealed under one."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, project])


async def chain(connection: AsyncConnection[DictRow], environment: str, project: str) -> Chain:
    """The epochs of a project, as the database has them."""
    return _trusted(environment, project, tuple(await records(connection, project)))


async def accept(connection: AsyncConnection[DictRow], envelope: str, expected: tenant.Expected) -> tenant.Checked:
    """That an envelope is what is expected, of the newest epoch; no other begins until the caller's transaction ends.

    Raises RefusedError: ``envelope_epoch_stale`` when it is of an older one.
    """
    binding = expected.binding
    async with connection.pipeline():  # One way there and back; the second statement sees what the lock waited for.
        await connection.execute("SELECT pg_advisory_xact_lock_shared(%s, hashtext(%s))", [_LOCK, binding.project])
        kept = await records(connection, binding.project)
    if not kept:
        raise RefusedError(Reason.ENVELOPE_EPOCH_UNKNOWN, f"project {binding.project} has no epoch")
    return tenant.check(envelope, expected, _trusted(binding.environment, binding.project, tuple(kept)))


async def add_member(
    connection: AsyncConnection[DictRow], project: str, member: Member, escrow: str | None = None
) -> None:
    """Note a member's public keys, and its private ones where they are in escrow: what ``platform_data`` sealed.

    What is in escrow already stays: nobody has that key a second time.
    """
    await connection.execute(
        "INSERT INTO members AS kept (project, kid, name, public, escrow) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (project, kid) DO UPDATE SET escrow = coalesce(kept.escrow, excluded.escrow)",
        [project, member.kid, member.name, Jsonb(member.members()), escrow],
    )


async def escrowed(connection: AsyncConnection[DictRow], project: str) -> list[tuple[str, str]]:
    """Thumbprint and sealed private keys of each member of a project that is in escrow."""
    rows = await connection.execute(
        "SELECT kid, escrow FROM members WHERE project = %s AND escrow IS NOT NULL ORDER BY created_at, kid", [project]
    )
    return [(row["kid"], row["escrow"]) for row in await rows.fetchall()]


@functools.lru_cache(maxsize=32)
def _trusted(environment: str, project: str, kept: tuple[str, ...]) -> Chain:
    """The chain that the database has. A server trusts what it stored; members trust their pins."""
    chain = Chain(environment, project, ())
    for record in kept:
        chain = chain.extended(record)
    return chain
