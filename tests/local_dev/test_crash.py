"""Postgres outlives SIGKILL and a power cut: started again, it has all that it acknowledged."""

from __future__ import annotations

import subprocess
import time

from .conftest import Running

PATIENCE = 120.0


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_postgres_starts_after_sigkill_with_its_data(running: Running) -> None:
    running.sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    container = running.containers["postgres"]["Id"]
    docker("kill", container)
    docker("start", container)
    end = time.monotonic() + PATIENCE
    while (seen := docker("inspect", "--format={{.State.Health.Status}}", container)) != "healthy":
        # Each question takes a few hundredths of a second itself.
        assert time.monotonic() < end, (seen, docker("logs", "--tail=20", container))
    assert running.sql("SELECT answer FROM kept; DROP TABLE kept") == "42"
