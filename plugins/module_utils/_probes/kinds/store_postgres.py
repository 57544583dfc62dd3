# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postgres, the way a user reaches it: an instance is created, replayed, read and deleted through the API."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.users import bearer, user_token


class _Unexpected(Exception):
    pass


def _expect(response: httpx.Response, *statuses: int) -> httpx.Response:
    if response.status_code not in statuses:
        start = " ".join(response.text[:160].split())
        raise _Unexpected(f"{response.request.method} {response.request.url.path}: {response.status_code}: {start}")
    return response


@dataclass(frozen=True)
class StorePostgres:
    """POST with an Idempotency-Key; the same POST again gives the same id and ``Idempotency-Replayed: true``;
    GET finds it; DELETE removes it. What was created is deleted also when the check fails on the way.
    """

    url: str
    user: str = "alice"

    def run(self, context: Context) -> Observation:
        carried = bearer(user_token(context, self.user))
        try:
            return self._round_trip(context.http, carried)
        except _Unexpected as error:
            return failed("STORE_ROUNDTRIP_FAILED", str(error))
        except httpx.TransportError as error:
            return failed("HTTP_UNREACHABLE", f"{self.url}: {type(error).__name__}: {error}")

    def _round_trip(self, http: httpx.Client, carried: dict[str, str]) -> Observation:
        body = {"name": f"probe-{secrets.token_hex(4)}", "gpu_type": "H100", "gpu_count": 1}
        once = {**carried, "Idempotency-Key": str(uuid.uuid4())}
        ident = _id(_expect(http.post(self.url, json=body, headers=once), 201))
        try:
            again = _expect(http.post(self.url, json=body, headers=once), 200, 201)
            if _id(again) != ident or again.headers.get("idempotency-replayed") != "true":
                raise _Unexpected("the replayed POST is not recognised as one: another id, or no Idempotency-Replayed: true")
            stored = _expect(http.get(f"{self.url}/{ident}", headers=carried), 200).json()
            if {key: stored.get(key) for key in body} != body:
                raise _Unexpected(f"GET gives {stored!r:.160}, not what was written")
        finally:
            gone = http.delete(f"{self.url}/{ident}", headers=carried)
        _expect(gone, 200, 202, 204)
        return passed(f"{self.url}: written, replayed, read and deleted")


def _id(response: httpx.Response) -> str:
    try:
        return str(response.json()["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise _Unexpected("the answer to POST has no id") from error
