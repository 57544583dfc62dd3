# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data of a running project: emptied, restored from their snapshot, or made again with the checkout's code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.kept import Kept, Seeded, code_version, kept, seeded
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project, is_running, name_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolved import load_resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import tail
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

_SECONDS = 120.0


@dataclass(frozen=True)
class Schemas:
    """Schema versions: of the data, of their snapshot, of the code. None where there is no such database."""

    data: int | None
    snapshot: int | None
    code: int


class Reset:
    """Every method raises ParityError LOCAL_DEV_DATABASE when a container cannot do its part."""

    def __init__(self, docker: Docker, project: Project, found: list[Kept]) -> None:
        self._docker = docker
        self._project = project
        self._kept = found

    @classmethod
    def of_run(cls, docker: Docker, project: Project, state_dir: Path, checkout: Path) -> Reset:
        """Of the project that was rendered in ``state_dir``, with the code of ``checkout``. Raises ParityError as ``load_resolved``."""
        return cls(docker, project, kept(load_resolved(str(state_dir / "rendered" / "contract.json")), checkout))

    def versions(self) -> dict[str, Schemas]:
        """What is there now, by component."""
        return {one.component: self._schemas(one) for one in seeded(self._kept)}

    def refuse_newer(self) -> None:
        """Raise LOCAL_DEV_SCHEMA_NEWER when the data were migrated by newer code than the checkout's."""
        for component, schemas in self.versions().items():
            _refuse_newer(component, schemas)

    def fills(self, container: str) -> bool:
        """Whether a container is one that fills empty data."""
        return any(container in one.fill for one in seeded(self._kept))

    def restorable(self) -> dict[str, Schemas]:
        """The versions, by component, when every snapshot fits the code.

        Raises ParityError: LOCAL_DEV_SEED_MISSING, LOCAL_DEV_SEED_OUTDATED, LOCAL_DEV_SCHEMA_NEWER.
        """
        versions = self.versions()
        for component, schemas in versions.items():
            _refuse_newer(component, schemas)
            if schemas.snapshot is None:
                raise ParityError("LOCAL_DEV_SEED_MISSING", f"the data of {component} have no snapshot")
            if schemas.snapshot < schemas.code:
                seen = f"the snapshot of {component} is of schema {schemas.snapshot}, the code of this checkout needs {schemas.code}"
                raise ParityError("LOCAL_DEV_SEED_OUTDATED", seen)
        return versions

    def restore(self) -> dict[str, Schemas]:
        """Make the data what their snapshots are, and empty what has none. Raises as `restorable`, before anything is changed."""
        versions = self.restorable()
        for user in {user for one in seeded(self._kept) for user in one.users}:
            self._named(user)
        for one in self._kept:
            self._exec(one.container, one.restore if isinstance(one, Seeded) else one.empty)
        return versions

    def reseed(self) -> dict[str, Schemas]:
        """Empty what has a snapshot and let the containers fill it that are there for that, then empty the rest, which follows from it."""
        for one in seeded(self._kept):
            self._exec(one.container, one.empty)
        for job in [job for one in seeded(self._kept) for job in one.fill]:
            done = self._docker.call("start", "--attach", self._named(job, running=False), timeout=_SECONDS, check=False)
            if done.rc != 0:
                raise ParityError("LOCAL_DEV_DATABASE", f"{job} ended with {done.rc}: {tail(done.stderr, 3) or tail(done.stdout, 3)}")
        # Where the old data kept them from starting, nothing else starts them.
        for user in [user for one in seeded(self._kept) for user in one.users]:
            self._docker.call("start", self._named(user, running=False), timeout=_SECONDS)
        for rest in self._kept:
            if not isinstance(rest, Seeded):
                self._exec(rest.container, rest.empty)
        return self.versions()

    def _schemas(self, one: Seeded) -> Schemas:
        found = dict(line.partition(" ")[::2] for line in self._exec(one.container, one.state).splitlines())
        data, snapshot = (int(text) if text.isdigit() else None for text in (found.get("data", ""), found.get("snapshot", "")))
        return Schemas(data, snapshot, code_version(one.schema))

    def _exec(self, container: str, command: list[str]) -> str:
        done = self._docker.call("exec", self._named(container), *command, timeout=_SECONDS, check=False)
        if done.rc != 0:
            raise ParityError("LOCAL_DEV_DATABASE", f"{container}: {tail(done.stderr, 3) or tail(done.stdout, 3) or f'status {done.rc}'}")
        return done.stdout

    def _named(self, service: str, *, running: bool = True) -> str:
        found = [item for item in self._project.of(service) if is_running(item) or not running]
        if not found:
            raise ParityError(
                "LOCAL_DEV_DATABASE", f"the project {self._project.name} has no {'running ' if running else ''}container of {service}"
            )
        return name_of(found[-1])


def _refuse_newer(component: str, schemas: Schemas) -> None:
    newest = max(schemas.data or 0, schemas.snapshot or 0)
    if newest > schemas.code:
        seen = f"the data of {component} are at schema {newest}, the code of this checkout knows {schemas.code}"
        raise ParityError("LOCAL_DEV_SCHEMA_NEWER", seen)
