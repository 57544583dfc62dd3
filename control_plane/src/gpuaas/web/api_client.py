"""The API, called from the server with the user's access token."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from gpuaas import logs, tracing
from gpuaas.admission import source_address

# The API says something at least every fifteen.
EVENTS_SECONDS = 30.0


class ApiUnavailableError(Exception):
    """The API does not answer, or not in its own words."""


@dataclass
class ApiProblemError(Exception):
    """The API refuses, with a problem document."""

    status: int
    code: str
    detail: str
    errors: list[dict[str, str]] = field(default_factory=list)


class ApiClient:
    """One method for each thing a page does. All raise ApiProblemError and ApiUnavailableError."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, verify=tls, timeout=httpx.Timeout(10.0, connect=2.0), trust_env=False
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def me(self, token: str) -> dict[str, Any]:
        """Roles and projects of the user."""
        return await self._call("GET", "/v1/me", token)

    async def instances(self, token: str, project: str, after: str | None) -> dict[str, Any]:
        """One page of a project's instances."""
        query = {"project": project} | ({"after": after} if after else {})
        return await self._call("GET", "/v1/instances", token, params=query)

    async def instance(self, token: str, identity: str) -> dict[str, Any]:
        """One instance."""
        return await self._call("GET", f"/v1/instances/{quote(identity, safe='')}", token)

    async def timeline(self, token: str, identity: str) -> dict[str, Any]:
        """What happened to an instance, oldest first."""
        path = f"/v1/instances/{quote(identity, safe='')}/timeline"
        return await self._call("GET", path, token, params={"limit": 200})

    async def notices(self, token: str, project: str) -> list[dict[str, Any]]:
        """What a project should know now."""
        answer = await self._call("GET", "/v1/notices", token, params={"project": project})
        notices: list[dict[str, Any]] = answer["items"]
        return notices

    async def platform(self, token: str) -> dict[str, Any]:
        """How the platform does, for who runs it."""
        return await self._call("GET", "/v1/platform", token)

    async def overview(self, token: str, project: str) -> dict[str, Any]:
        """How a project stands, and what happened in it last."""
        return await self._call("GET", "/v1/dashboard", token, params={"project": project})

    async def envelopes(self, token: str, project: str) -> dict[str, Any]:
        """What is sealed for a project's members."""
        return await self._call("GET", "/v1/envelopes", token, params={"project": project})

    async def epochs(self, token: str, project: str) -> dict[str, Any]:
        """The records of a project's epochs."""
        return await self._call("GET", "/v1/epochs", token, params={"project": project})

    async def begin_epoch(self, token: str, body: dict[str, Any]) -> dict[str, Any]:
        """Begin an epoch, with a record that a member signed."""
        return await self._call("POST", "/v1/epochs", token, json=body)

    async def devices(self, token: str, project: str) -> dict[str, Any]:
        """The devices that ask to be members of a project."""
        return await self._call("GET", "/v1/devices", token, params={"project": project})

    async def ask_for_device(self, token: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask that a device be a member."""
        return await self._call("POST", "/v1/devices", token, json=body)

    async def events(self, token: str, project: str, since: str) -> httpx.Response:
        """What happens in a project, as server-sent events; whoever gets it closes it."""
        headers = self._headers(token, {"Last-Event-ID": since} if since else {})
        query = {"project": project} if project else {}
        timeout = httpx.Timeout(10.0, connect=2.0, read=EVENTS_SECONDS)
        request = self._http.build_request("GET", "/v1/events", headers=headers, params=query, timeout=timeout)
        try:
            response = await self._http.send(request, stream=True)
            if response.is_success:
                return response
            await response.aread()
            await response.aclose()
        except httpx.HTTPError as error:
            raise ApiUnavailableError(f"{type(error).__name__}: {error}") from None
        _answer("GET", "/v1/events", response)
        raise ApiUnavailableError(f"GET /v1/events answers {response.status_code}")

    async def create(self, token: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for an instance."""
        return await self._call("POST", "/v1/instances", token, json=body, headers={"Idempotency-Key": key})

    async def delete(self, token: str, identity: str) -> None:
        """Delete an instance."""
        await self._call("DELETE", f"/v1/instances/{quote(identity, safe='')}", token)

    async def operate(self, token: str, identity: str, what: str, key: str) -> dict[str, Any]:
        """``stop`` or ``start`` an instance."""
        path = f"/v1/instances/{quote(identity, safe='')}/{what}"
        return await self._call("POST", path, token, headers={"Idempotency-Key": key})

    async def resize(self, token: str, identity: str, key: str, gpu_count: object) -> dict[str, Any]:
        """Give an instance another number of GPUs."""
        path, body = f"/v1/instances/{quote(identity, safe='')}", {"gpu_count": gpu_count}
        return await self._call("PATCH", path, token, json=body, headers={"Idempotency-Key": key})

    async def quota(self, token: str, project: str) -> dict[str, Any]:
        """How many GPUs a project uses, and may."""
        return await self._call("GET", "/v1/quota", token, params={"project": project})

    async def _call(
        self, method: str, path: str, token: str, headers: dict[str, str] | None = None, **arguments: Any
    ) -> dict[str, Any]:
        with tracing.span(f"{method} {tracing.template(path)}", "client") as span:
            headers = self._headers(token, headers or {})
            try:
                response = await self._http.request(method, path, headers=headers, **arguments)
            except httpx.HTTPError as error:
                raise ApiUnavailableError(f"{type(error).__name__}: {error}") from None
            span.tell({tracing.STATUS: response.status_code})
        return _answer(method, path, response)

    def _headers(self, token: str, more: dict[str, str]) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "X-Request-Id": logs.request_id.get() or "",
            # What is asked with a bad token counts against who sent it, not against the console.
            "X-Forwarded-For": source_address.get(),
            **tracing.carrier(),
            **more,
        }


def _answer(method: str, path: str, response: httpx.Response) -> dict[str, Any]:
    """The document of an answer. Raises ApiProblemError and ApiUnavailableError."""
    try:
        answer = response.json() if response.content else {}
    except ValueError as error:
        raise ApiUnavailableError(f"{type(error).__name__}: {error}") from None
    if not isinstance(answer, dict) or (response.is_error and "code" not in answer):
        raise ApiUnavailableError(f"{method} {path} answers {response.status_code}")
    if response.is_error:
        raise ApiProblemError(response.status_code, answer["code"], answer["detail"], answer.get("errors", []))
    return answer
