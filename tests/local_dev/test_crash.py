"""Postgres outlives SIGKILL and a power cut: started again, it has all that it acknowledged."""

from __future__ import annotations

from .running import Running, docker


def test_postgres_starts_after_sigkill_with_its_data(running: Running) -> None:
    running.sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    container = running.containers["postgres"]["Id"]
    docker("kill", container)
    docker("start", container)
    running.await_healthy("postgres")
    assert running.sql("SELECT answer FROM kept; DROP TABLE kept") == "42"
