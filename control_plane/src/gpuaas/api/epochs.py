"""The epochs of projects, as the API's clients see them."""

from __future__ import annotations

from gpuaas.api import models
from gpuaas.database import Pool
from gpuaas.encryption import store


class Epochs:
    """Those of all projects of an environment."""

    def __init__(self, pool: Pool, environment: str) -> None:
        self._pool = pool
        self._environment = environment

    async def of(self, project: str) -> models.Epochs:
        """The records of a project."""
        async with self._pool.connection() as connection:
            records = await store.records(connection, project)
        return models.Epochs(environment=self._environment, project=project, records=records)

    async def begin(self, project: str, record: str) -> models.Epoch:
        """Add an epoch to a project. Raises RefusedError."""
        async with self._pool.connection() as connection:
            chain = await store.append(connection, self._environment, project, record)
        pin = chain.current.pin
        return models.Epoch(project=project, number=pin.number, digest=pin.digest)
