"""Users who ask for instances, stop, start, resize and delete them, each answer in a history."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

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
# Seconds after which who waits for one answer alone asks again.
IMPATIENCE = 0.1
# How many instances a client leaves at most: a fleet for some of them, and about the quota of their project.
KEPT = 4
TYPES = ("H100", "A100", "L40S")
SIZES = (1, 1, 1, 2)
WORKLOADS = (None, "notebook", "inference")
# What is done by chance with an instance in a state; in the others something is under way, which the API does not let be
# disturbed but by a deletion.
OPERATIONS = {
    "running": ("stop", "stop", "resize", "resize", "delete"),
    "stopped": ("start", "start", "start", "resize", "delete"),
    "failed": ("delete",),
}
DISTURBING = ("stop", "start", "resize", "stop", "start", "resize", "delete")
BEGUN = {"stopping", "starting", "resizing"}
# A decision: the same request again has the same answer.
REFUSALS = ("wrong_state", "quota_exceeded")


@dataclass(frozen=True)
class Asked:
    """A call and its answer: ``answer`` is a status, with a problem's code, or the kind of failure where none came.

    ``intent`` is its key. ``state`` is what an acknowledged call says of the instance, ``size`` how many GPUs it was asked
    to have.
    """

    at: float
    what: str
    instance: str
    answer: str
    acknowledged: bool
    intent: str = ""
    state: str = ""
    size: int = 0

    @property
    def refused(self) -> bool:
        """Whether the API has decided not to do it."""
        return self.answer.rpartition(" ")[2] in REFUSALS


@dataclass(frozen=True)
class Call:
    """What is asked for, by one key however often it is sent."""

    what: str
    instance: str = ""
    gpu_type: str = ""
    size: int = 0
    name: str = ""
    workload: str | None = None

    @property
    def request(self) -> tuple[str, str, dict[str, Any] | None]:
        """Method, path below the instances, and body."""
        match self.what:
            case "create":
                body = {"name": self.name, "gpu_type": self.gpu_type, "gpu_count": self.size, "workload": self.workload}
                return "POST", "", body
            case "resize":
                return "PATCH", f"/{self.instance}", {"gpu_count": self.size}
            case "delete":
                return "DELETE", f"/{self.instance}", None
        return "POST", f"/{self.instance}/{self.what}", None


class Clients:
    """Ask from ``with`` on, until it ends; ``history`` has every call, in the order of answers.

    ``run`` begins the names of all instances; ``pace`` is in seconds. ``tried`` is set when one was stopped, one started again,
    and one that runs resized.
    """

    def __init__(self, state_dir: Path, seed: str, pace: float = PACE) -> None:
        self._pace = pace
        self.run = f"flow-{uuid.uuid4().hex[:6]}"
        self.history: list[Asked] = []
        self.tried = threading.Event()
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

    def request(self) -> str:
        """Ask for one more instance, by one key, until it is accepted; its id."""
        call, key = Call("create", gpu_type=TYPES[0], size=1, name=f"{self.run}-{uuid.uuid4().hex[:12]}"), str(uuid.uuid4())
        while not (asked := self._send(call, key)).acknowledged:
            self._end.wait(IMPATIENCE)
        return asked.instance

    def leave(self, instances: Iterable[str]) -> None:
        """Delete what is left, so that whoever comes next finds the GPUs free."""
        for instance in instances:
            self._send(Call("delete", instance), str(uuid.uuid4()))

    def _ask(self, seed: str) -> None:
        draw, mine = random.Random(seed), list[str]()
        while not self._end.is_set():
            size = draw.choice(SIZES)
            if not mine or (len(mine) < KEPT and draw.random() < 0.4):
                name = f"{self.run}-{uuid.uuid4().hex[:12]}"
                call = Call("create", gpu_type=draw.choice(TYPES), size=size, name=name, workload=draw.choice(WORKLOADS))
                if created := self._until_decided(call):
                    mine.append(created)
                    continue
            if mine:
                instance = draw.choice(mine)
                what = draw.choice(OPERATIONS.get(self._state(instance), DISTURBING))
                if what == "delete":
                    mine.remove(instance)
                self._until_decided(Call(what, instance, size=size if what == "resize" else 0))

    def _state(self, instance: str) -> str:
        """The state of an instance; empty where nobody says."""
        try:
            with loopback.client(self._ca, timeout=TIMEOUT) as http:
                response = http.get(f"{self._url}/{instance}", headers=bearer(self._user.token()))
        except (ParityError, httpx.HTTPError):
            return ""
        finally:
            self._end.wait(self._pace)
        return str(response.json()["state"]) if response.is_success else ""

    def _until_decided(self, call: Call) -> str:
        """Repeat a call, with its key, until it is acknowledged or refused, or the end comes; the instance's id, else empty."""
        key = str(uuid.uuid4())
        while not self._end.is_set():
            asked = self._send(call, key)
            self.history.append(asked)
            if {each.state for each in list(self.history)} >= BEGUN:
                self.tried.set()
            self._end.wait(self._pace)
            if asked.acknowledged:
                return asked.instance
            if asked.refused:
                return ""
        return ""

    def _send(self, call: Call, key: str) -> Asked:
        method, path, body = call.request

        def asked(answer: str, instance: str = call.instance, state: str = "", acknowledged: bool = False) -> Asked:
            return Asked(now(), call.what, instance, answer, acknowledged, key, state, call.size)

        try:
            headers = {**bearer(self._user.token()), "Idempotency-Key": key}
            # A client for each call: a connection that is kept would hide a closed door.
            with loopback.client(self._ca, timeout=TIMEOUT) as http:
                response = http.request(method, f"{self._url}{path}", json=body, headers=headers)
        except (ParityError, httpx.HTTPError) as error:
            return asked(type(error).__name__)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._user.forget()
        # A deletion whose answer was lost is answered 404 when it is repeated.
        gone = response.status_code in (httpx.codes.NO_CONTENT, httpx.codes.NOT_FOUND)
        if call.what == "delete" and gone:
            return asked(str(response.status_code), acknowledged=True)
        if not response.is_success:
            return asked(f"{response.status_code} {_code(response)}".rstrip())
        its = response.json()
        return asked(str(response.status_code), str(its["id"]), str(its["state"]), acknowledged=True)


def _code(response: httpx.Response) -> str:
    """The stable code of a problem (RFC 9457); empty where the answer is none, as the ingress' own."""
    try:
        return str(response.json().get("code", ""))
    except (ValueError, AttributeError):
        return ""
