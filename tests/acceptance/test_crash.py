"""Everything outlives SIGKILL under writes: it is back by itself, and nothing is lost or done twice."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback
from ansible_collections.gpuaas.parity.tests.writes.account import Account, stored
from ansible_collections.gpuaas.parity.tests.writes.writers import Writers

from .running import Running

PATIENCE = 120.0
# More than one request keeps busy, so that as many connections to the database are open.
AT_ONCE = 8
# Writes that are acknowledged before and after.
ENOUGH = 20
_numbers = itertools.count()


def containers(running: Running) -> dict[str, tuple[str, bool]]:
    """The container of each component, by its id, and whether it is ready."""
    found = {}
    for pod in running.objects("pods"):
        for status in pod["status"].get("containerStatuses", []):
            if status["name"] in running.contract["services"] and pod["status"]["phase"] == "Running":
                found[status["name"]] = (str(status.get("containerID", "")).rpartition("/")[2], bool(status["ready"]))
    return found


def kill(running: Running, container: str) -> None:
    """SIGKILL for the first process of a container, whatever its name; from within it would be ignored."""
    running.host.check_output("docker exec %s ctr --namespace k8s.io tasks kill --signal SIGKILL %s", running.node, container)


def await_(holds: Callable[[], bool], seen: Callable[[], object]) -> None:
    """Until something holds; what is asked takes a tenth of a second itself."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, seen()


def login(running: Running) -> int:
    """The HTTP status of the realm, asked as a browser does. Keycloak has no endpoint while it waits for its database."""
    endpoint = running.contract["endpoints"]["auth"]
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=10) as client:
        return int(client.get(f"{endpoint['url']}{endpoint['health']}").status_code)


def strangers(running: Running) -> set[int]:
    """The HTTP status that clients nobody knows get, asking at once: each has to be looked for in the database."""
    url = f"{running.contract['endpoints']['auth']['url']}/realms/gpuaas/protocol/openid-connect/token"
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=10) as client, ThreadPoolExecutor(AT_ONCE) as pool:

        def ask(number: int) -> int:
            answer = client.post(url, data={"grant_type": "client_credentials"}, auth=(f"stranger-{number}", "guess"))
            return int(answer.status_code)

        return set(pool.map(ask, itertools.islice(_numbers, 4 * AT_ONCE)))


def test_all_is_back_after_sigkill_and_nothing_acknowledged_is_lost(
    running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert strangers(running) == {401}
    before = containers(running)
    assert len(before) > 1
    phase = ["before"]
    with Writers(running.state_dir, tmp_path / "calls.jsonl", lambda: phase[0]) as writers:
        await_(lambda: writers.record.acknowledged() >= ENOUGH, writers.record.acknowledged)
        phase[0] = "everything gets SIGKILL"
        for container, _ready in before.values():
            kill(running, container)

        def are_back() -> bool:
            now = containers(running)
            return all(name in now and now[name][1] and now[name][0] != container for name, (container, _ready) in before.items())

        await_(are_back, lambda: containers(running))
        phase[0] = "after"
        until = writers.record.acknowledged() + ENOUGH
        await_(lambda: writers.record.acknowledged() >= until, writers.record.acknowledged)
    account = Account(writers.record.calls, stored(running.sql, writers.run), writers.visitor.pages)
    with capsys.disabled():
        print(*account.lines(), sep="\n")
    assert account.problems() == []
    running.sql(f"UPDATE instances SET state = 'deleted', deleted_at = now() WHERE name LIKE '{writers.run}-%'")
    await_(lambda: login(running) == 200, lambda: login(running))
    # Every connection of before is dead; none of them may reach a user as an error.
    assert strangers(running) == {401}
