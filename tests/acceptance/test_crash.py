"""Postgres outlives SIGKILL: it is back by itself, with all that it acknowledged, and so is who needs it."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback

from .running import Running

PATIENCE = 120.0
# More than one request keeps busy, so that as many connections to the database are open.
AT_ONCE = 8
_numbers = itertools.count()


def restarts(running: Running) -> tuple[int, bool]:
    """How often the container of Postgres was started again, and whether it is ready."""
    pod = running.kubectl("get", "pod", "postgres-0", "--namespace=gpuaas-data")
    (status,) = pod["status"]["containerStatuses"]
    return status["restartCount"], status["ready"]


def login(running: Running) -> int:
    """The HTTP status of the realm, asked as a browser does. Keycloak has no endpoint while it waits for its database."""
    endpoint = running.contract["endpoints"]["auth"]
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=10) as client:
        return int(client.get(f"{endpoint['url']}{endpoint['health']}").status_code)


def strangers(running: Running) -> set[int]:
    """The HTTP status that clients nobody knows get, asking at once: each has to be looked for in the database."""
    url = f"{running.contract['endpoints']['auth']['url']}/realms/master/protocol/openid-connect/token"
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=10) as client, ThreadPoolExecutor(AT_ONCE) as pool:

        def ask(number: int) -> int:
            answer = client.post(url, data={"grant_type": "client_credentials"}, auth=(f"stranger-{number}", "guess"))
            return int(answer.status_code)

        return set(pool.map(ask, itertools.islice(_numbers, 4 * AT_ONCE)))


def test_postgres_is_back_after_sigkill_with_its_data(running: Running) -> None:
    running.sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    assert strangers(running) == {401}
    before, _ready = restarts(running)
    # Its first process, in whose place the next container has another one.
    running.host.check_output("docker exec %s pkill --signal KILL --oldest --exact postgres", running.node)
    end = time.monotonic() + PATIENCE
    while not (seen := restarts(running))[1] or seen[0] == before:
        # Each question takes a tenth of a second itself.
        assert time.monotonic() < end, seen
    assert seen == (before + 1, True)
    assert running.sql("SELECT answer FROM kept; DROP TABLE kept") == "42"
    while (seen_by_user := login(running)) != 200:
        assert time.monotonic() < end, seen_by_user
    # Every connection of before is dead; none of them may reach a user as an error.
    assert strangers(running) == {401}
