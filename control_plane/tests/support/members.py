"""A member of project alpha, with a device and a token."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import httpx
import psycopg
from psycopg.types.json import Jsonb

from gpuaas.encryption import escrow, instance, tenant
from gpuaas.encryption.binding import Binding
from gpuaas.encryption.environment import environment_of
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.escrow import Escrowed
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.platform_data import Wrapping
from support.instances import BODY, bearer, create
from support.issuer import Issuer

CANARY = "canary-7f3a9c"
NAME = str(BODY["name"])
PLAINTEXT = f'{{"start_script":"{CANARY}"}}'.encode()


class Client:
    """``chain`` is what it would begin; nothing is sent before it is told to."""

    def __init__(self, api: httpx.Client, issuer: Issuer) -> None:
        self.api, self.headers = api, bearer(issuer)
        self.environment = environment_of(issuer.url)
        self.key = MemberKey.generate(self.environment, "alice")
        self.chain = Chain.begin(self.key, "alpha")

    def begin(self, chain: Chain | None = None) -> httpx.Response:
        """Send the newest epoch of a chain."""
        body = {"record": (chain or self.chain).current.record}
        return self.api.post("/v1/epochs", json=body, headers=self.headers)

    def binding(self, instance_id: str, name: str = NAME, **changes: Any) -> Binding:
        bound = instance.binding(self.environment, "alpha", uuid.UUID(instance_id), name)
        return replace(bound, **changes)

    def private(self, chain: Chain | None = None, name: str = NAME, **changes: Any) -> dict[str, str]:
        instance_id = str(uuid.uuid4())
        binding = self.binding(instance_id, name, **changes)
        envelope = tenant.seal(PLAINTEXT, binding, self.key, (chain or self.chain).current)
        return {"instance_id": instance_id, "envelope": envelope}

    def leave_key(self, database: psycopg.Connection, root: Wrapping) -> None:
        """In escrow, with its pin."""
        sealed = escrow.seal(Escrowed(self.key, self.chain.current.pin), "alpha", root)
        database.execute(
            "INSERT INTO members (project, kid, name, public, escrow) VALUES ('alpha', %s, 'alice', %s, %s)",
            [self.key.kid, Jsonb(self.key.public.members()), sealed],
        )

    def create(self, private: dict[str, str], key: str | None = None) -> httpx.Response:
        return create(self.api, self.headers, BODY | {"private": private}, key)
