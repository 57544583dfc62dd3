# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A write through an API that may be sent twice: created once, replayed, read and deleted."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer, user_token
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx


class _Unexpected(Exception):
    pass


def _expect(response: httpx.Response, *statuses: int) -> httpx.Response:
    if response.status_code not in statuses:
        start = " ".join(response.text[:160].split())
        raise _Unexpected(f"{response.request.method} {response.request.url.path}: {response.status_code}: {start}")
    return response


@dataclass(frozen=True)
class IdempotentWrite:
    """POST of ``document`` to ``url`` with an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) creates
    something; the same POST again gives the same ``key`` of the answer and says ``Idempotency-Replayed: true``; GET of
    ``url``/<key> finds it; DELETE removes it.

    ``unique`` is the part of the document that must differ in every write: it gets a name that nobody else uses.
    ``user`` logged in through ``client``. What was created is deleted also when the check fails on the way.
    """

    targets: ClassVar[frozenset[str]] = HERE
    url: str
    user: str
    client: str
    unique: str
    document: dict[str, Any] = field(default_factory=dict)
    key: str = "id"

    def run(self, context: Context) -> Observation:
        carried = bearer(user_token(context, self.user, self.client))
        try:
            return self._round_trip(context.http, carried)
        except _Unexpected as error:
            return failed("STORE_ROUNDTRIP_FAILED", str(error))
        except httpx.TransportError as error:
            return failed("HTTP_UNREACHABLE", f"{self.url}: {type(error).__name__}: {error}")

    def _round_trip(self, http: httpx.Client, carried: dict[str, str]) -> Observation:
        body = {**self.document, self.unique: f"probe-{secrets.token_hex(4)}"}
        once = {**carried, "Idempotency-Key": str(uuid.uuid4())}
        key = self._key(_expect(http.post(self.url, json=body, headers=once), 201))
        try:
            again = _expect(http.post(self.url, json=body, headers=once), 200, 201)
            if self._key(again) != key or again.headers.get("idempotency-replayed") != "true":
                raise _Unexpected(f"the replayed POST is not recognised as one: another {self.key}, or no Idempotency-Replayed: true")
            stored = _expect(http.get(f"{self.url}/{key}", headers=carried), 200).json()
            if {name: stored.get(name) for name in body} != body:
                raise _Unexpected(f"GET gives {stored!r:.160}, not what was written")
        finally:
            gone = http.delete(f"{self.url}/{key}", headers=carried)
        _expect(gone, 200, 202, 204)
        return passed(f"{self.url}: written, replayed, read and deleted")

    def _key(self, response: httpx.Response) -> str:
        try:
            return str(response.json()[self.key])
        except (ValueError, KeyError, TypeError) as error:
            raise _Unexpected(f"the answer to POST has no {self.key}") from error
