"""What is planted: something private of an instance, and somebody who is logged in and came to the API with a token."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import open_context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import bare, code_flow, walk
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import issuer_of, web_client
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client
from ansible_collections.gpuaas.parity.tests.canary.device import Device
from ansible_collections.gpuaas.parity.tests.canary.person import Person, somebody
from ansible_collections.gpuaas.parity.tests.writes.site import site_of

PATIENCE, POLL = 90.0, 0.25


@dataclass(frozen=True)
class Planted:
    """Words by their names: those that must be nowhere, and those that show that a place was searched.

    ``served`` is what the API has of the instance and of the project's epochs; ``device`` is the directory of the member's device.
    """

    secret: dict[str, str]
    plain: dict[str, str]
    device: Path
    served: dict[str, Any] = field(repr=False, default_factory=dict)


class Visit:
    """Somebody at the API, by a token of their own."""

    def __init__(self, http: httpx.Client, url: str, token: str) -> None:
        self._http, self._url, self._token = http, url, token

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Any answer of the API."""
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": str(uuid.uuid4())}
        return self._http.request(method, f"{self._url}/v1/{path}", json=body, headers=headers)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A good one. Raises httpx.HTTPStatusError."""
        response = self.send(method, path, body).raise_for_status()
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer


@contextmanager
def planted(state_dir: Path, image: str) -> Iterator[Planted]:
    """On the platform of a run, by a device of the control plane's ``image``; the instance and the person go in the end."""
    contract = read_contract(state_dir)
    ca, urls = state_dir / "tls" / "ca.crt", {name: its["url"] for name, its in contract["endpoints"].items()}
    with TemporaryDirectory() as directory, somebody(state_dir) as person, client(ca, timeout=30) as http:
        _page, reached = walk(http, f"{urls['web']}/auth/login", person.credentials)
        if not str(reached).startswith(urls["web"]):
            raise SystemExit(f"canary: the log-in ended at {bare(reached)}")
        with open_context(site_of(state_dir)) as context, client(ca) as other:
            flow = code_flow(other, issuer_of(context), web_client(context, "gpuaas-web"), person.credentials)
        visit = Visit(http, urls["api"], str(flow["access_token"]))
        environment = visit.ask("GET", "epochs")["environment"]
        its = _plant(visit, person, Device(image, Path(directory), environment, person.project))
        its.plain["platform"] = httpx.URL(urls["api"]).host
        its.secret["token"] = str(flow["access_token"]).rpartition(".")[2]
        try:
            yield its
        finally:
            visit.ask("DELETE", f"instances/{its.plain['instance']}")


def _plant(visit: Visit, person: Person, device: Device) -> Planted:
    """Seal, and have an instance run that has it."""
    canary, name = f"canary-{secrets.token_hex(12)}", f"marked-{secrets.token_hex(8)}"
    device.make_key()
    visit.ask("POST", "epochs", {"record": device.begin()})
    epochs = visit.ask("GET", "epochs")
    device.learn(epochs)
    plaintext = json.dumps({"start_script": canary}).encode()
    body = {"name": name, "gpu_type": "L40S", "gpu_count": 1, "private": device.seal(plaintext, name)}
    instance = str(visit.ask("POST", "instances", body)["id"])
    until(lambda: visit.ask("GET", f"instances/{instance}")["state"] == "running", "the instance runs")
    visit.ask("GET", "instances")
    private = visit.ask("GET", f"instances/{instance}")["private"]
    if device.open(private, name, instance) != plaintext:
        raise SystemExit("canary: a member does not read what was sealed")
    key = hashlib.sha256(person.subject.encode()).hexdigest()
    plain = {"name": name, "instance": instance, "subject's key": key, "project": person.project}
    return Planted({"tenant": canary, "person": person.name}, plain, device.directory, {"private": private, **epochs})


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"canary: in vain until {what}")
        time.sleep(POLL)
