"""A fleet in this process, whose time passes when the test says so."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx

from gpu_fleet.process import FILE, applications
from gpu_fleet.settings import Secrets, Settings
from gpu_fleet.store import Store
from support.client import Client
from support.environment import TOKEN

SIMULATION = "/simulation/v1"


class Machine:
    """``api`` is a controller's client, ``simulation`` that of who makes faults."""

    def __init__(self, settings: Settings, wall: list[float]) -> None:
        self.settings = settings
        self._wall = wall
        self._store = Store(settings.data / FILE)
        served = applications(settings, Secrets(controller_token=TOKEN), self._store, lambda: wall[0])
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self._runner = asyncio.Runner()
        self.anybody = Client(self._runner, served.api)
        self.api = Client(self._runner, served.api, headers)
        self.simulation = Client(self._runner, served.simulation)
        self.probes = Client(self._runner, served.probes)

    def close(self) -> None:
        """End the process, so to speak."""
        self._runner.close()
        self._store.close()

    def fill_disk(self, full: bool) -> None:
        """No page more than there are, or as many as there may be."""
        with self._store.transaction() as db:
            db.execute(f"PRAGMA max_page_count = {1 if full else 2**31}")

    def lose_store(self) -> None:
        """As if the volume were gone."""
        self._store.close()

    def pass_seconds(self, seconds: float) -> None:
        """Time passes, on the wall."""
        self._wall[0] += seconds

    def reserve(
        self,
        gpu_type: str = "H100",
        gpu_count: int = 2,
        instance: str | None = None,
        key: str | None = None,
        replaces: str | None = None,
    ) -> httpx.Response:
        """POST /v1/reservations."""
        body = {"instance": instance or str(uuid.uuid4()), "gpu_type": gpu_type, "gpu_count": gpu_count}
        body |= {"replaces": replaces} if replaces else {}
        return self.api.post("/v1/reservations", json=body, headers={"Idempotency-Key": key or uuid.uuid4().hex})

    def reserved(self, *arguments: Any, **more: Any) -> dict[str, Any]:
        """A new reservation."""
        answer = self.reserve(*arguments, **more)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def get(self, identity: str) -> dict[str, Any]:
        """A reservation as it is now."""
        return dict(self.api.get(f"/v1/reservations/{identity}").raise_for_status().json())

    def etag(self, identity: str) -> str:
        """That of a reservation as it is now."""
        return str(self.api.get(f"/v1/reservations/{identity}").headers["ETag"])

    def begin(
        self, operation: str, identity: str, key: str | None = None, etag: str | None = None, **body: Any
    ) -> httpx.Response:
        """POST one of its operations."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, "If-Match": etag or self.etag(identity)}
        return self.api.post(f"/v1/reservations/{identity}/{operation}", json=body or None, headers=headers)

    def release(self, identity: str, etag: str | None = None) -> httpx.Response:
        """DELETE it."""
        return self.api.delete(f"/v1/reservations/{identity}", headers={"If-Match": etag or self.etag(identity)})

    def running(self, *arguments: Any, **more: Any) -> dict[str, Any]:
        """A reservation that runs."""
        its = self.reserved(*arguments, **more)
        assert self.begin("start", its["id"]).status_code == 202
        self.pass_seconds(100_000)
        found = self.get(its["id"])
        assert found["state"] == "running"
        return found

    def deployed(self, *arguments: Any, **more: Any) -> dict[str, Any]:
        """A reservation that runs, and whose workload does."""
        its = self.running(*arguments, **more)
        assert self.begin("workload", its["id"], image="notebook").status_code == 202
        self.pass_seconds(100_000)
        found = self.get(its["id"])
        assert found["workload"]["state"] == "healthy"
        return found

    def remove(self, identity: str, etag: str | None = None) -> httpx.Response:
        """DELETE its workload."""
        return self.api.delete(
            f"/v1/reservations/{identity}/workload", headers={"If-Match": etag or self.etag(identity)}
        )

    def node(self, name: str) -> dict[str, Any]:
        """A node as it is now."""
        return next(its for its in self.api.get("/v1/nodes").json()["items"] if its["name"] == name)

    def free(self, gpu_type: str) -> int:
        """How many GPUs of a type are free."""
        found = self.api.get("/v1/capacity").json()["items"]
        return int(next(its["free"] for its in found if its["gpu_type"] == gpu_type))

    def put_fault(self, identity: str = "fault", **fault: Any) -> None:
        """Set one."""
        answer = self.simulation.put(f"{SIMULATION}/faults/{identity}", json=fault)
        assert answer.status_code == 204, answer.text

    def take_fault_back(self, identity: str = "fault") -> None:
        """Take one back."""
        assert self.simulation.delete(f"{SIMULATION}/faults/{identity}").status_code == 204

    def write_faults(self, text: str | list[dict[str, Any]]) -> None:
        """Replace the file of faults, as a mounted ConfigMap is: by another file."""
        path = self.settings.faults_file
        new = path.with_suffix(".new")
        new.write_text(text if isinstance(text, str) else json.dumps(text))
        new.replace(path)

    def ledger(self, identity: str) -> list[str]:
        """What befell a reservation, in order."""
        found = self.simulation.get(f"{SIMULATION}/ledger").json()["items"]
        return [its["effect"] for its in found if its["reservation"] == identity]


@contextmanager
def machines() -> Iterator[Any]:
    """Yields what starts machines; they end with it."""
    with ExitStack() as stack:

        def start(settings: Settings, wall: list[float]) -> Machine:
            machine = Machine(settings, wall)
            stack.callback(machine.close)
            return machine

        yield start
