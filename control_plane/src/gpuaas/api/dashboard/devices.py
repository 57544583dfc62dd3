"""Devices that want to be members of a project. Nothing here makes one: a member's signature does (``encryption.epoch``)."""

from __future__ import annotations

from psycopg.types.json import Jsonb

from gpuaas.api.dashboard.models import Device, DeviceList
from gpuaas.api.problems import ProblemError
from gpuaas.database import Pool
from gpuaas.encryption.member import Member

MOST_OF_A_PROJECT = 32
_WAITING = """
    SELECT kid, name, public, created_at FROM members
    WHERE project = %s AND escrow IS NULL AND created_at > now() - interval '1 day' ORDER BY created_at, kid LIMIT %s
"""
_OLD = "DELETE FROM members WHERE project = %s AND escrow IS NULL AND created_at <= now() - interval '1 day'"
_ASK = """
    INSERT INTO members (project, kid, name, public) VALUES (%s, %s, %s, %s) ON CONFLICT (project, kid) DO NOTHING
"""


class Devices:
    """Those of all projects."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def waiting(self, project: str) -> DeviceList:
        """Who asked within a day, whether a member let them in or not. Raises psycopg.Error."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_WAITING, [project, MOST_OF_A_PROJECT])).fetchall()
        return DeviceList(project=project, items=[Device.model_validate(row) for row in rows])

    async def ask(self, username: str, project: str, public: object) -> Device:
        """Note a device of a user. Raises ProblemError, RefusedError and psycopg.Error."""
        member = Member.of(public)
        if member.name != username:
            raise ProblemError(403, "forbidden", "A device has the name of who asks for it.")
        async with self._pool.connection() as connection:
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtext('gpuaas.devices'), hashtext(%s))", [project]
            )
            await connection.execute(_OLD, [project])
            waiting = await (await connection.execute(_WAITING, [project, MOST_OF_A_PROJECT])).fetchall()
            known = any(row["kid"] == member.kid for row in waiting)
            if not known and len(waiting) == MOST_OF_A_PROJECT:
                raise ProblemError(
                    409, "devices_full", f"{MOST_OF_A_PROJECT} devices asked within a day; let them in or wait."
                )
            await connection.execute(_ASK, [project, member.kid, member.name, Jsonb(member.members())])
            rows = await connection.execute(
                "SELECT kid, name, public, created_at FROM members WHERE project = %s AND kid = %s",
                [project, member.kid],
            )
            return Device.model_validate(await rows.fetchone())
