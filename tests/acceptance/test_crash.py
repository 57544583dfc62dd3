"""Postgres outlives SIGKILL: it is back by itself, with all that it acknowledged."""

from __future__ import annotations

import time

from .running import Running

PATIENCE = 120.0


def restarts(running: Running) -> tuple[int, bool]:
    """How often the container of Postgres was started again, and whether it is ready."""
    pod = running.kubectl("get", "pod", "postgres-0", "--namespace=gpuaas-data")
    (status,) = pod["status"]["containerStatuses"]
    return status["restartCount"], status["ready"]


def test_postgres_is_back_after_sigkill_with_its_data(running: Running) -> None:
    running.sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    before, _ready = restarts(running)
    # Its first process, in whose place the next container has another one.
    running.host.check_output("docker exec %s pkill --signal KILL --oldest --exact postgres", running.node)
    end = time.monotonic() + PATIENCE
    while not (seen := restarts(running))[1] or seen[0] == before:
        # Each question takes a tenth of a second itself.
        assert time.monotonic() < end, seen
    assert seen == (before + 1, True)
    assert running.sql("SELECT answer FROM kept; DROP TABLE kept") == "42"
