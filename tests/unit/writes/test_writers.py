# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writers send again, with the same key, what was not acknowledged, and every few what was."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Asked, Authority, Reply, as_json, serve
from ansible_collections.gpuaas.parity.tests.writes import visitor, writers
from ansible_collections.gpuaas.parity.tests.writes.account import Account, Stored
from ansible_collections.gpuaas.parity.tests.writes.user import User

HOST, WEB = "api.gpuaas.localhost", "web.gpuaas.localhost"
ENOUGH = 20


class Api:
    """Stores once for each key, and every third time does not say so at first."""

    def __init__(self) -> None:
        self.stored: dict[str, tuple[str, str]] = {}
        self.asked: Counter[str] = Counter()
        self.deleted: list[str] = []
        self.enough = threading.Event()
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            if asked.method == "GET":
                return Reply(200, f'<span data-testid="user">{visitor.NAME}</span>')
            if asked.method == "DELETE":
                self.deleted.append(asked.path.rpartition("/")[2])
                return Reply(204, "")
            key = asked.headers["idempotency-key"]
            known = key in self.stored
            name, identity = self.stored.setdefault(key, (json.loads(asked.body)["name"], f"id-{len(self.stored)}"))
            self.asked[key] += 1
            if len(self.stored) > ENOUGH:
                self.enough.set()
            if not known and len(self.stored) % 3 == 0:
                return as_json({"code": "unavailable"}, 503)
            again = {"Idempotency_Replayed": "true"} if known else {}
            return as_json({"id": identity, "name": name}, 200 if known else 201, **again)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr(writers, "PACE", 0.001)
    monkeypatch.setattr(User, "token", lambda _self: "token")
    return Api()


def test_what_is_not_acknowledged_is_sent_again_with_its_key(api: Api, tmp_path: Path) -> None:
    for folder in ("tls", "rendered"):
        (tmp_path / folder).mkdir()
    authority = Authority(tmp_path / "tls", "gpuaas.localhost")
    with serve(api.answer, {HOST: authority.context(HOST), WEB: authority.context(WEB)}) as server:
        endpoints = {name: {"url": f"https://{name}.gpuaas.localhost:{server.port}"} for name in ("api", "web")}
        contract = {"services": {}, "endpoints": endpoints, "secrets": {}}
        (tmp_path / "rendered" / "contract.json").write_text(json.dumps(contract))
        with writers.Writers(tmp_path, tmp_path / "calls", lambda: "calm") as running:
            assert api.enough.wait(60)
    rows = [Stored(name, identity, 1) for name, identity in api.stored.values()]
    calls = running.record.calls
    assert Account(calls, rows, running.visitor.pages).problems() == []
    assert len(rows) - len(api.deleted) <= writers.AT_ONCE * (writers.KEPT + 2)
    assert len(set(api.deleted)) == len(api.deleted)
    assert Counter(call.answer for call in calls)["503 unavailable"] > 0
    assert max(api.asked.values()) > 1
    assert len((tmp_path / "calls").read_text().splitlines()) == len(calls)
    assert {page.instance for page in running.visitor.pages} == {"page"}
