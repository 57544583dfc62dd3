"""Asks the fleet. Every write has a key, so a repetition has no second effect, and the ETag it was decided by."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from gpuaas import tracing
from gpuaas.fleet.inventory import Capacities, Capacity, Node, Nodes
from gpuaas.fleet.reservation import Reservation, Reservations, Seen
from gpuaas.settings import FleetSecrets, FleetSettings

BASE = "/v1"
TIMEOUT_SECONDS = 5.0
# Somebody else acted, or an operation has not ended: read it again before deciding.
OUTDATED = ("precondition_failed", "busy")


class FleetUnavailable(Exception):  # noqa: N818  # what it is, not what to do
    """No answer, or none that the contract knows: nobody can say whether the request took effect."""


class FleetRefusal(Exception):  # noqa: N818
    """The fleet's no; ``code`` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class Fleet:
    """The fleet at ``url``; its token is the controller's."""

    def __init__(self, url: str, token: str, tls: ssl.SSLContext) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{url}{BASE}",
            headers={"Authorization": f"Bearer {token}"},
            verify=tls,
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    @classmethod
    def of(cls, settings: FleetSettings, secrets: FleetSecrets, tls: ssl.SSLContext) -> Self:
        """The one that is configured."""
        return cls(f"https://{settings.fleet_host}:{settings.fleet_port}", secrets.fleet_token, tls)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def reserve(
        self, instance: UUID, gpu_type: str, gpu_count: int, key: str, replaces: UUID | None = None
    ) -> Seen:
        """Reserve GPUs of one node, where it is said in place of those that the instance has until they are released.

        Raises FleetUnavailable and FleetRefusal, as everything here does.
        """
        body: dict[str, Any] = {"instance": str(instance), "gpu_type": gpu_type, "gpu_count": gpu_count}
        body |= {"replaces": str(replaces)} if replaces else {}
        seen = await self._seen("POST", "/reservations", key=key, json=body)
        if seen.reservation.instance != instance:
            raise FleetUnavailable(f"the answer is about another instance: {seen.reservation.instance}")
        return seen

    async def get(self, identity: UUID) -> Seen:
        """A reservation as it is now."""
        seen = await self._seen("GET", f"/reservations/{identity}")
        if seen.reservation.id != identity:
            raise FleetUnavailable(f"the answer is about another reservation: {seen.reservation.id}")
        return seen

    async def of_instance(self, instance: UUID) -> list[Reservation]:
        """The reservations of an instance, also the last released ones."""
        return await self._several({"instance": str(instance)})

    async def every(self) -> list[Reservation]:
        """Every reservation that is not released, the oldest first."""
        return await self._several({})

    async def nodes(self) -> list[Node]:
        """Every node, with its GPUs."""
        return _read(Nodes, await self._ask("GET", "/nodes")).items

    async def capacity(self) -> list[Capacity]:
        """The GPUs of each type, in numbers."""
        return _read(Capacities, await self._ask("GET", "/capacity")).items

    async def attach_storage(self, seen: Seen, size_gib: int, key: str) -> None:
        """Begin to attach storage."""
        await self._begin(seen, "storage", key, {"size_gib": size_gib})

    async def start(self, seen: Seen, key: str) -> None:
        """Begin to start it."""
        await self._begin(seen, "start", key)

    async def verify(self, seen: Seen, key: str) -> None:
        """Begin to check its GPUs."""
        await self._begin(seen, "verify", key)

    async def stop(self, seen: Seen, key: str) -> None:
        """Begin to stop what starts or runs; its GPUs stay reserved."""
        await self._begin(seen, "stop", key)

    async def deploy(self, seen: Seen, image: str, key: str) -> None:
        """Begin to deploy a workload on what runs."""
        await self._begin(seen, "workload", key, {"image": image})

    async def remove(self, seen: Seen) -> None:
        """Begin to remove its workload; a repetition needs no key."""
        await self._seen("DELETE", f"/reservations/{seen.reservation.id}/workload", match=seen.etag)

    async def release(self, seen: Seen) -> None:
        """Begin to release it, from whatever state; a repetition needs no key."""
        await self._seen("DELETE", f"/reservations/{seen.reservation.id}", match=seen.etag)

    async def _begin(self, seen: Seen, what: str, key: str, body: dict[str, Any] | None = None) -> None:
        await self._seen("POST", f"/reservations/{seen.reservation.id}/{what}", key=key, match=seen.etag, json=body)

    async def _seen(self, method: str, path: str, **given: Any) -> Seen:
        answer = await self._ask(method, path, **given)
        etag = answer.headers.get("etag", "")
        if not etag:
            raise FleetUnavailable(f"{method} {path} has no ETag")
        return Seen(reservation=_read(Reservation, answer), etag=etag)

    async def _several(self, query: dict[str, str]) -> list[Reservation]:
        return _read(Reservations, await self._ask("GET", "/reservations", params=query)).items

    async def _ask(self, method: str, path: str, key: str = "", match: str = "", **given: Any) -> httpx.Response:
        headers = {name: value for name, value in (("Idempotency-Key", key), ("If-Match", match)) if value}
        with tracing.span(f"{method} {tracing.template(f'{BASE}{path}')}", "client") as span:
            try:
                answer = await self._http.request(method, path, headers={**headers, **tracing.carrier()}, **given)
            except httpx.HTTPError as error:
                raise FleetUnavailable(f"{type(error).__name__}: {error}".rstrip(": ")) from None
            span.tell({tracing.STATUS: answer.status_code})
        if answer.is_success:
            return answer
        try:
            problem = answer.json()
            code, detail = str(problem["code"]), str(problem["detail"])
        except (ValueError, KeyError, TypeError):
            raise FleetUnavailable(f"{method} {path} answers {answer.status_code}, no problem document") from None
        # A token that was rotated passes with the rollout; what else is no decision is tried again as well.
        if answer.status_code in (401, 429) or answer.is_server_error:
            raise FleetUnavailable(f"{answer.status_code} {code}: {detail}")
        raise FleetRefusal(code, detail)


def _read[T: BaseModel](model: type[T], answer: httpx.Response) -> T:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        first = error.errors()[0]
        raise FleetUnavailable(f"the answer is not as the contract says: {first['loc']} {first['msg']}") from None
