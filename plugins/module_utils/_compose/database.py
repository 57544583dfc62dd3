# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The seeded database of the control plane and its snapshot, through the role's database.sh in the container."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project, is_running, name_of
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import tail
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

SCRIPT = "/etc/gpuaas/tools/database.sh"
# What fills an empty database, in this order; each is a container that has ended.
JOBS = ("api-migrate", "api-seed", "postgres-snapshot")
_USERS = ("api", "web")
_MIGRATIONS = "control_plane/src/gpuaas/migrations"
_MIGRATION = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_SECONDS = 120.0
# Asked in the container, where the password lies in a file.
_FLUSH = 'REDISCLI_AUTH="$(cat /run/secrets/gpuaas/password)" valkey-cli -p "$REDIS_PORT" flushall'


@dataclass(frozen=True)
class Schemas:
    """Schema versions: of the database, of its snapshot, of the code. None where there is no such database."""

    database: int | None
    snapshot: int | None
    code: int


def code_version(migrations: Path) -> int:
    """The schema that the checkout's code was written for: its migrations are numbered without gaps."""
    return sum(1 for path in migrations.glob("*.sql") if _MIGRATION.fullmatch(path.name))


class Database:
    """The database of a running project. Every method raises ParityError LOCAL_DEV_DATABASE when the container cannot do it."""

    def __init__(self, docker: Docker, project: Project, migrations: Path) -> None:
        self._docker = docker
        self._project = project
        self._migrations = migrations

    @classmethod
    def of_checkout(cls, docker: Docker, project: Project, checkout: str) -> Database:
        """The database that the code of a checkout uses."""
        return cls(docker, project, Path(checkout) / _MIGRATIONS)

    def schemas(self) -> Schemas:
        """What is there now."""
        found = dict(line.partition(" ")[::2] for line in self._script("state").splitlines())
        versions = {name: int(text) if text.isdigit() else None for name, text in found.items()}
        return Schemas(versions.get("gpuaas"), versions.get("gpuaas_seed"), code_version(self._migrations))

    def refuse_newer(self, schemas: Schemas) -> None:
        """Raise LOCAL_DEV_SCHEMA_NEWER when the data was migrated by newer code than the checkout's."""
        newest = max(schemas.database or 0, schemas.snapshot or 0)
        if newest > schemas.code:
            raise ParityError(
                "LOCAL_DEV_SCHEMA_NEWER", f"the database is at schema {newest}, the code of this checkout knows {schemas.code}"
            )

    def restore(self) -> Schemas:
        """Make the database what its snapshot is, and empty the cache. Raises as `restorable`."""
        schemas = self.restorable()
        for service in _USERS:
            self._named(service)
        self._script("restore")
        self._flush()
        return schemas

    def restorable(self) -> Schemas:
        """The schemas when the snapshot fits the code.

        Raises ParityError: LOCAL_DEV_SEED_MISSING, LOCAL_DEV_SEED_OUTDATED, LOCAL_DEV_SCHEMA_NEWER.
        """
        schemas = self.schemas()
        self.refuse_newer(schemas)
        if schemas.snapshot is None:
            raise ParityError("LOCAL_DEV_SEED_MISSING", "the database has no snapshot gpuaas_seed")
        if schemas.snapshot < schemas.code:
            seen = f"the snapshot gpuaas_seed is of schema {schemas.snapshot}, the code of this checkout needs {schemas.code}"
            raise ParityError("LOCAL_DEV_SEED_OUTDATED", seen)
        return schemas

    def reseed(self) -> Schemas:
        """Empty the database, migrate and seed it, keep that as the snapshot, and empty the cache."""
        self._script("empty")
        self._flush()
        for job in JOBS:
            container = self._named(job, running=False)
            done = self._docker.call("start", "--attach", container, timeout=_SECONDS, check=False)
            if done.rc != 0:
                raise ParityError("LOCAL_DEV_DATABASE", f"{job} ended with {done.rc}: {tail(done.stderr, 3) or tail(done.stdout, 3)}")
        # Where the old database kept it from starting, nothing else starts it.
        for service in _USERS:
            self._docker.call("start", self._named(service, running=False), timeout=_SECONDS)
        return self.schemas()

    def _script(self, verb: str) -> str:
        return self._exec("postgres", "sh", SCRIPT, verb)

    def _flush(self) -> None:
        self._exec("redis", "sh", "-ec", _FLUSH)

    def _exec(self, service: str, *command: str) -> str:
        done = self._docker.call("exec", self._named(service), *command, timeout=_SECONDS, check=False)
        if done.rc != 0:
            raise ParityError("LOCAL_DEV_DATABASE", f"{service}: {tail(done.stderr, 3) or tail(done.stdout, 3) or f'status {done.rc}'}")
        return done.stdout

    def _named(self, service: str, *, running: bool = True) -> str:
        found = [item for item in self._project.of(service) if is_running(item) or not running]
        if not found:
            raise ParityError(
                "LOCAL_DEV_DATABASE", f"the project {self._project.name} has no {'running ' if running else ''}container of {service}"
            )
        return name_of(found[-1])
