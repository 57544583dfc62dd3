"""Somebody with a name that is nowhere else: a user of the realm, with a project of their own, until the end."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import Credentials
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.api import Api, Login
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.patience import Patient
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import nobody

REALM, ROLE, PROJECTS = "gpuaas", "operator", "projects"


@dataclass(frozen=True)
class Person:
    """``subject`` is what the platform calls them."""

    name: str
    project: str
    subject: str
    password: str = field(repr=False)

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.name, self.password)


@contextmanager
def somebody(state_dir: Path) -> Iterator[Person]:
    """Who may write in a project that nobody else is in."""
    name, project, password = (f"{what}-{secrets.token_hex(12)}" for what in ("person", "project", "Password"))
    with _administrator(state_dir) as api:
        groups = api.get_list(REALM, "groups", search=PROJECTS, exact="true")
        [parent] = [str(group["id"]) for group in groups if group["name"] == PROJECTS]
        group = api.post(REALM, "groups", parent, "children", body={"name": project})
        user = api.post(REALM, "users", body=_user(name, password))
        api.post(REALM, "users", user, "role-mappings", "realm", body=[api.get_object(REALM, "roles", ROLE)])
        api.put(REALM, "users", user, "groups", group)
        try:
            yield Person(name, project, user, password)
        finally:
            api.delete(REALM, "users", user)
            api.delete(REALM, "groups", group)


def _user(name: str, password: str) -> dict[str, Any]:
    names = {"username": name, "firstName": name, "lastName": name, "email": f"{name}@example.invalid"}
    credential = {"type": "password", "value": password, "temporary": False}
    return {**names, "enabled": True, "emailVerified": True, "credentials": [credential]}


@contextmanager
def _administrator(state_dir: Path) -> Iterator[Api]:
    admin = json.loads((state_dir / "rendered" / "realm.json").read_text())["admin"]
    values = yaml.safe_load((state_dir / "secrets" / "secrets.yml").read_text())
    with loopback.client(state_dir / "tls" / "ca.crt", base_url=admin["url"], timeout=30) as http:
        api = Api(Patient(http, 0, nobody), Login.user(admin["username"], values[admin["password"]]))
        if not api.log_in():
            raise SystemExit("canary: the administrator of the realm is not let in")
        try:
            yield api
        finally:
            api.log_out()
