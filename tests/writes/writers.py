"""Several clients of one user that create instances, each intent with a key of its own, until they are told to end."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback

from .record import Call, Record, now
from .user import User
from .visitor import Visitor

AT_ONCE = 4
# Seconds between two calls of a client: together they stay below the 600 a minute that a user may make.
PACE = 0.5
TIMEOUT = 10.0
# Of so many acknowledged intents one is sent again with its key.
REPEATED = 3
# So many instances of a client stay; older ones are deleted, since a project has a quota of GPUs.
KEPT = 2


class Writers:
    """Write from ``with`` on; after it ends, ``record`` has every call.

    A call that was not acknowledged is sent again with its key until it is, or the end. ``phase`` says what is being done to
    the platform at the moment. ``run`` begins the names of all instances. Beside them another user looks at the console.
    """

    def __init__(self, state_dir: Path, file: Path, phase: Callable[[], str]) -> None:
        self.run = f"kept-{secrets.token_hex(3)}"
        self.record = Record(file)
        self.user = User(state_dir)
        self.visitor = Visitor(state_dir, phase)
        self._phase = phase
        self._state_dir = state_dir
        self._url = f"{read_contract(state_dir)['endpoints']['api']['url']}/v1/instances"
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(AT_ONCE)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        self.visitor.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        self.visitor.end()
        self.record.close()

    def _write(self, number: int) -> None:
        done, mine = 0, list[str]()
        while not self._end.is_set():
            name, key = f"{self.run}-{number}-{done}", str(uuid.uuid4())
            done += 1
            while not (instance := self._send(name, key)) and not self._end.is_set():
                pass
            if done % REPEATED == 0 and not self._end.is_set():
                self._send(name, key)
            mine += [instance] if instance else []
            while len(mine) > KEPT and not self._end.is_set() and self._delete(mine[0]):
                mine.pop(0)

    def _delete(self, instance: str) -> bool:
        """Give an instance back; whether it is gone. What is not is tried again after the next one."""
        try:
            with loopback.client(self._state_dir / "tls" / "ca.crt", timeout=TIMEOUT) as http:
                response = http.delete(f"{self._url}/{instance}", headers=bearer(self.user.token()))
        except (ParityError, httpx.HTTPError):
            return False
        finally:
            self._end.wait(PACE)
        return response.status_code in (httpx.codes.NO_CONTENT, httpx.codes.NOT_FOUND)

    def _send(self, name: str, key: str) -> str:
        """One call; the instance's id when it was acknowledged, else empty."""
        phase, began = self._phase(), time.monotonic()
        answer, instance, replayed = "", "", False
        try:
            headers = {**bearer(self.user.token()), "Idempotency-Key": key}
            # A client for each call: a connection that is kept would hide a closed door.
            with loopback.client(self._state_dir / "tls" / "ca.crt", timeout=TIMEOUT) as http:
                response = http.post(self._url, json={"name": name, "gpu_type": "H100", "gpu_count": 1}, headers=headers)
            answer = str(response.status_code)
            if response.status_code in (httpx.codes.CREATED, httpx.codes.OK):
                instance, replayed = str(response.json()["id"]), response.headers.get("idempotency-replayed") == "true"
            else:
                answer = f"{answer} {_code(response)}".rstrip()
            if response.status_code == httpx.codes.UNAUTHORIZED:
                self.user.forget()
        except ParityError as error:
            answer = f"no login: {error.reason}"
        except httpx.HTTPError as error:
            answer = type(error).__name__
        self.record.add(Call(name, phase, answer, round(time.monotonic() - began, 3), instance, replayed, now()))
        self._end.wait(PACE)
        return instance


def _code(response: httpx.Response) -> str:
    """The stable code of a problem (RFC 9457); empty where the answer is none, as the ingress' own."""
    try:
        return str(response.json().get("code", ""))
    except (ValueError, AttributeError):
        return ""
