"""A member of project alpha, with a device and a token."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import httpx

from gpuaas.encryption import tenant
from gpuaas.encryption.binding import Binding, DataClass
from gpuaas.encryption.environment import environment_of
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.member import MemberKey
from support.instances import BODY, bearer, create
from support.issuer import Issuer

CANARY = "canary-7f3a9c"
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

    def binding(self, **changes: Any) -> Binding:
        bound = Binding(self.environment, DataClass.TENANT, "alpha", str(uuid.uuid4()), "instance.private", 1)
        return replace(bound, **changes)

    def private(self, chain: Chain | None = None, **changes: Any) -> dict[str, str]:
        binding = self.binding(**changes)
        envelope = tenant.seal(PLAINTEXT, binding, self.key, (chain or self.chain).current)
        return {"event_id": binding.event_id, "envelope": envelope}

    def create(self, private: dict[str, str], key: str | None = None) -> httpx.Response:
        return create(self.api, self.headers, BODY | {"private": private}, key)
