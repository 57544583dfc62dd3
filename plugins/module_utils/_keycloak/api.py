# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of Keycloak's admin REST API: requests in, JSON or a reason out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json, as_json, as_list
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.patience import LOGIN_PATH, Patient, is_absent
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx

ADMIN_CLI = "admin-cli"
"""Keycloak's own public client of realm master for administrators' password grants."""


@dataclass(frozen=True)
class Login:
    """Who to be in realm master. Its text form holds no secret."""

    name: str
    form: Mapping[str, str] = field(repr=False)

    @classmethod
    def user(cls, username: str, password: str) -> Login:
        """An administrator, through client admin-cli (RFC 6749 section 4.3)."""
        return cls(
            f"user {username}",
            {"grant_type": "password", "client_id": ADMIN_CLI, "username": username, "password": password},
        )

    @classmethod
    def client(cls, client_id: str, secret: str) -> Login:
        """A service account (RFC 6749 section 4.4)."""
        return cls(f"client {client_id}", {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret})


class Api:
    """Requests to one Keycloak as one login of realm master. Safe to use from several threads.

    ``http`` has Keycloak's URL as its base URL. Every method raises ParityError:
    KEYCLOAK_UNREACHABLE, KEYCLOAK_AUTH, KEYCLOAK_CONFLICT or KEYCLOAK_API.
    """

    def __init__(self, http: Patient, login: Login) -> None:
        self._http = http
        self._login = login
        self._renewing = threading.Lock()
        self._access = ""
        # Of every session that this login has made: a token that expired does not end its session.
        self._refresh: list[str] = []

    @property
    def who(self) -> str:
        return self._login.name

    def log_in(self) -> bool:
        """Get a token; False when Keycloak does not accept the login."""
        response = self._send("POST", LOGIN_PATH, data=dict(self._login.form))
        answer = _body(response)
        if response.status_code == 200 and "access_token" in answer:
            self._access = str(answer["access_token"])
            self._refresh += [str(answer["refresh_token"])] if answer.get("refresh_token") else []
            return True
        # RFC 6749 section 5.2: what is wrong with the login itself, not with Keycloak.
        if answer.get("error") in ("invalid_grant", "invalid_client", "unauthorized_client"):
            return False
        raise _unexpected("POST", LOGIN_PATH, response)

    def log_out(self) -> None:
        """End the sessions that the login made; a session that cannot be ended expires by itself."""
        while self._refresh:
            form = {"client_id": ADMIN_CLI, "refresh_token": self._refresh.pop()}
            try:
                self._send("POST", "/realms/master/protocol/openid-connect/logout", data=form)
            except ParityError:
                return

    def get(self, *path: str, **query: str) -> Any:
        """The JSON at a path below /admin/realms; None when there is none (404)."""
        response = self._authorized("GET", _url(path), params=query)
        return None if response.status_code == 404 else _json(response)

    def get_object(self, *path: str, **query: str) -> Json:
        return as_json(self.get(*path, **query))

    def get_list(self, *path: str, **query: str) -> list[Json]:
        return as_list(self.get(*path, **query))

    def post(self, *path: str, body: object) -> str:
        """Create; the id of what was created, where Keycloak tells it (Location header)."""
        response = self._authorized("POST", _url(path), json=body)
        self._must_exist("POST", path, response)
        return str(response.headers.get("location", "")).rpartition("/")[2]

    def put(self, *path: str, body: object = None) -> None:
        self._must_exist("PUT", path, self._authorized("PUT", _url(path), json=body))

    def delete(self, *path: str, body: object = None) -> None:
        """Delete; what is gone already is as good as deleted."""
        self._authorized("DELETE", _url(path), json=body)

    def _must_exist(self, method: str, path: tuple[str, ...], response: httpx.Response) -> None:
        if response.status_code == 404:
            raise _unexpected(method, _url(path), response)

    def _authorized(self, method: str, url: str, **parts: Any) -> httpx.Response:
        used = self._access
        response = self._send(method, url, headers={"Authorization": f"Bearer {used}"}, **parts)
        if response.status_code == 401:
            # An access token of realm master lives for a minute; several threads may find it expired.
            with self._renewing:
                if self._access == used and not self.log_in():
                    raise ParityError("KEYCLOAK_AUTH", f"Keycloak no longer accepts {self.who}")
            response = self._send(method, url, headers={"Authorization": f"Bearer {self._access}"}, **parts)
        if response.status_code in (401, 403):
            raise ParityError(
                "KEYCLOAK_AUTH",
                f"{self.who} of realm master may not {method} {url}",
                details={"status": response.status_code},
            )
        if response.status_code == 409:
            raise ParityError("KEYCLOAK_CONFLICT", f"{method} {url}: {_message(response) or 'exists already'}")
        if not response.is_success and response.status_code != 404:
            raise _unexpected(method, url, response)
        return response

    def _send(self, method: str, url: str, **parts: Any) -> httpx.Response:
        if parts.get("json", 0) is None:
            del parts["json"]
        try:
            response = self._http.request(method, url, **parts)
        except httpx.TransportError as error:
            raise ParityError("KEYCLOAK_UNREACHABLE", f"{self._http.base_url}: {error or type(error).__name__}") from None
        if is_absent(response):
            raise ParityError("KEYCLOAK_UNREACHABLE", f"{self._http.base_url} answers {response.status_code}")
        return response


def _url(path: tuple[str, ...]) -> str:
    return "/admin/realms" + "".join(f"/{quote(part, safe='')}" for part in path)


def _body(response: httpx.Response) -> Json:
    try:
        return as_json(response.json())
    except ValueError:
        return {}


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise _unexpected("GET", response.request.url.path, response) from None


def _message(response: httpx.Response) -> str:
    """Keycloak's own words. Only its error fields: a body may hold more than should be shown."""
    body = _body(response)
    words = [str(body[key]) for key in ("errorMessage", "error", "error_description") if body.get(key)]
    return ": ".join(words)[:300]


def _unexpected(method: str, url: str, response: httpx.Response) -> ParityError:
    said = _message(response)
    return ParityError(
        "KEYCLOAK_API",
        f"{method} {url} answers {response.status_code}{f' ({said})' if said else ''}",
        details={"method": method, "path": url, "status": response.status_code},
    )
