"""Plants a canary in each class of data, and looks for it everywhere where a platform keeps or says something: it is nowhere.

    .venv/bin/python tests/canary/run.py STATE_DIR

The platform is a Compose project of a lane that provisions, and up. *Tenant* data is what is private of an instance, sealed on a device
that is no part of the platform; *platform* data is the name of somebody who is logged in to the console, and the token that they
came to the API with. Each place is searched for a word of metadata as well, which is there: so the search would find the others.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import open_context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import bare, code_flow, walk
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import issuer_of, web_client
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client
from ansible_collections.gpuaas.parity.tests.canary.device import Device
from ansible_collections.gpuaas.parity.tests.canary.person import Person, somebody
from ansible_collections.gpuaas.parity.tests.canary.places import journal, places
from ansible_collections.gpuaas.parity.tests.canary.spellings import Spellings, found
from ansible_collections.gpuaas.parity.tests.local_dev.running import Running
from ansible_collections.gpuaas.parity.tests.writes.site import site_of

PATIENCE, POLL = 90.0, 0.25
# Metadata, but in what workflows hand to each other: that is sealed.
SEALED = {("name", "database temporal"), ("name", "database temporal_visibility")}
# The identity provider's own store: that is where names of persons are.
AT_HOME = {("person", "database keycloak"), ("person", "volume postgres-data")}


@dataclass(frozen=True)
class Planted:
    """Words by their names: those that must be nowhere, and those that show that a place was searched."""

    secret: dict[str, str]
    plain: dict[str, str]


class Visit:
    """Somebody at the API, by a token of their own."""

    def __init__(self, http: httpx.Client, url: str, token: str) -> None:
        self._http, self._url, self._token = http, url, token

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer of the API. Raises httpx.HTTPStatusError."""
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": str(uuid.uuid4())}
        response = self._http.request(method, f"{self._url}/v1/{path}", json=body, headers=headers).raise_for_status()
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer


def plant(project: Running, person: Person, http: httpx.Client, directory: Path) -> Planted:
    """Log in, seal, and have an instance run that has it."""
    canary, name = f"canary-{secrets.token_hex(12)}", f"marked-{secrets.token_hex(8)}"
    urls = {each: its["url"] for each, its in project.contract["endpoints"].items()}
    _page, reached = walk(http, f"{urls['web']}/auth/login", person.credentials)
    if not str(reached).startswith(urls["web"]):
        raise SystemExit(f"canary: the log-in ended at {bare(reached)}")
    with open_context(site_of(project.state_dir)) as context, client(context.ca_file) as other:
        token = str(code_flow(other, issuer_of(context), web_client(context, "gpuaas-web"), person.credentials)["access_token"])
    visit = Visit(http, urls["api"], token)
    environment = visit.ask("GET", "epochs")["environment"]
    device = Device(project.containers["api"]["Config"]["Image"], directory, environment, person.project)
    device.make_key()
    visit.ask("POST", "epochs", {"record": device.begin()})
    device.learn(visit.ask("GET", "epochs"))
    plaintext = json.dumps({"start_script": canary}).encode()
    body = {"name": name, "gpu_type": "L40S", "gpu_count": 1, "private": device.seal(plaintext)}
    instance = str(visit.ask("POST", "instances", body)["id"])
    until(lambda: visit.ask("GET", f"instances/{instance}")["state"] == "running", "the instance runs")
    visit.ask("GET", "instances")
    if device.open(visit.ask("GET", f"instances/{instance}")["private"]) != plaintext:
        raise SystemExit("canary: a member does not read what was sealed")
    plain = {
        "name": name,
        "instance": instance,
        "subject's key": hashlib.sha256(person.subject.encode()).hexdigest(),
        "platform": project.contract["project"],
    }
    return Planted({"tenant": canary, "person": person.name, "token": token.rpartition(".")[2]}, plain)


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"canary: in vain until {what}")
        time.sleep(POLL)


def search(project: Running, planted: Planted) -> list[str]:
    """What is where it must not be, and which place was searched in vain for what is there."""
    words = {name: Spellings(word) for name, word in {**planted.secret, **planted.plain}.items()}
    wrong, seen = [], {}
    for place in places(project):
        names = seen[place.name] = found(words, place.read())
        leaks = {name for name in names & planted.secret.keys() if (name, place.name) not in AT_HOME}
        leaks |= {name for name in names if (name, place.name) in SEALED}
        wrong += [f"{place.name} has the {name} that was planted" for name in sorted(leaks)]
        wrong += [f"{place.name} was searched in vain for its {place.has}"] if place.has and place.has not in names else []
    print(json.dumps({name: sorted(names) for name, names in seen.items() if names}, indent=1))
    print(f"canary: {len(seen)} places searched, {len(wrong)} findings")
    return wrong


def main(directory: str) -> int:
    """0 when it is nowhere."""
    project = Running.load(Path(directory))
    ca = project.state_dir / "tls" / "ca.crt"
    with tempfile.TemporaryDirectory() as device, somebody(project.state_dir) as person, client(ca, timeout=30) as http:
        planted = plant(project, person, http, Path(device))
        instance = {"instance": Spellings(planted.plain["instance"])}
        until(lambda: bool(found(instance, journal(project))), "the journal has the instance")
        wrong = search(project, planted)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
