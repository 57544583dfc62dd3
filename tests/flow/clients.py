"""Users who ask for instances and delete some of them, each answer in a history."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback
from ansible_collections.gpuaas.parity.tests.writes.record import now
from ansible_collections.gpuaas.parity.tests.writes.user import User

AT_ONCE = 4
# Seconds between two calls of a client: together they stay below the 600 a minute that a user may make.
PACE = 0.5
TIMEOUT = 10.0
# How many instances a client leaves at most; there are GPUs for all of them.
KEPT = 5
TYPES = ("H100", "A100", "L40S")


@dataclass(frozen=True)
class Asked:
    """A call and its answer: ``answer`` is a status, or the kind of failure where none came."""

    at: float
    what: str
    instance: str
    answer: str
    acknowledged: bool


class Clients:
    """Ask from ``with`` on, until it ends; ``history`` has every call, in the order of answers.

    ``run`` begins the names of all instances; ``pace`` is in seconds.
    """

    def __init__(self, state_dir: Path, seed: str, pace: float = PACE) -> None:
        self._pace = pace
        self.run = f"flow-{uuid.uuid4().hex[:6]}"
        self.history: list[Asked] = []
        self._url = f"{read_contract(state_dir)['endpoints']['api']['url']}/v1/instances"
        self._ca = state_dir / "tls" / "ca.crt"
        self._user = User(state_dir)
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(f"{seed}-{n}",), daemon=True) for n in range(AT_ONCE)]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def lines(self) -> list[dict[str, object]]:
        """The history as a document."""
        return [asdict(each) for each in self.history]

    def told(self, instances: Iterable[str]) -> dict[str, str]:
        """What the API says of the state of each; ``deleted`` where it knows none."""
        states = {}
        with loopback.client(self._ca, timeout=TIMEOUT) as http:
            for instance in instances:
                while (
                    response := http.get(f"{self._url}/{instance}", headers=bearer(self._user.token()))
                ).status_code == httpx.codes.TOO_MANY_REQUESTS:
                    threading.Event().wait(float(response.headers["Retry-After"]))
                gone = response.status_code == httpx.codes.NOT_FOUND
                states[instance] = "deleted" if gone else str(response.json().get("state", response.status_code))
        return states

    def leave(self, instances: Iterable[str]) -> None:
        """Delete what is left, so that whoever comes next finds the GPUs free."""
        for instance in instances:
            self._call("DELETE", instance, str(uuid.uuid4()), None)

    def _ask(self, seed: str) -> None:
        draw, mine = random.Random(seed), list[str]()
        while not self._end.is_set():
            if created := self._create(draw):
                mine.append(created)
            if mine and (len(mine) > KEPT or draw.random() < 0.1):
                self._until_done("DELETE", mine.pop(draw.randrange(len(mine))))

    def _create(self, draw: random.Random) -> str:
        """The id of a new instance; empty when the end came before an answer."""
        body = {"name": f"{self.run}-{uuid.uuid4().hex[:12]}", "gpu_type": draw.choice(TYPES), "gpu_count": 1}
        return self._until_done("POST", "", body)

    def _until_done(self, method: str, instance: str, body: dict[str, object] | None = None) -> str:
        """Repeat a call, with its key, until it is acknowledged or the end comes; the instance's id, else empty."""
        key = str(uuid.uuid4())
        while not self._end.is_set():
            asked = self._call(method, instance, key, body)
            self.history.append(asked)
            self._end.wait(self._pace)
            if asked.acknowledged:
                return asked.instance
        return ""

    def _call(self, method: str, instance: str, key: str, body: dict[str, object] | None) -> Asked:
        what = "create" if method == "POST" else "delete"
        try:
            headers = {**bearer(self._user.token()), "Idempotency-Key": key}
            url = f"{self._url}/{instance}".rstrip("/")
            # A client for each call: a connection that is kept would hide a closed door.
            with loopback.client(self._ca, timeout=TIMEOUT) as http:
                response = http.request(method, url, json=body, headers=headers)
        except (ParityError, httpx.HTTPError) as error:
            return Asked(now(), what, instance, type(error).__name__, acknowledged=False)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._user.forget()
        if response.status_code in (httpx.codes.OK, httpx.codes.CREATED):
            return Asked(now(), what, str(response.json()["id"]), str(response.status_code), acknowledged=True)
        # A deletion whose answer was lost is answered 404 when it is repeated.
        gone = response.status_code in (httpx.codes.NO_CONTENT, httpx.codes.NOT_FOUND)
        return Asked(now(), what, instance, str(response.status_code), acknowledged=method == "DELETE" and gone)
