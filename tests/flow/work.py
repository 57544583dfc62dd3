"""Kills in the middle of something: of the database in a transaction, of Temporal in a workflow."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running
from ansible_collections.gpuaas.parity.tests.superuser import psql

from .engine import kill, name
from .plan import Fault

# Until somebody is in the middle of something; users ask several times a second.
PATIENCE = 20.0
_LOCK = "BEGIN; LOCK TABLE outbox IN EXCLUSIVE MODE; SELECT pg_sleep(60)"
_CHANGED_AND_NOT_TOLD = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO outbox%')"
_UNDER_WAY = "SELECT EXISTS (SELECT FROM instances WHERE state = 'provisioning')"


def kill_in_transaction(project: Running, fault: Fault) -> None:
    """Once a change of an instance is made and its event is not, which a lock on the outbox sees to."""
    argv = ["docker", "exec", name(project, str(fault.to)), *psql(_LOCK)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        _until(lambda: project.sql(_CHANGED_AND_NOT_TOLD) == "t")
        kill(project, fault)


def kill_in_workflow(project: Running, fault: Fault) -> None:
    """Once an instance is being provisioned."""
    _until(lambda: project.sql(_UNDER_WAY) == "t")
    kill(project, fault)


def _until(ready: Callable[[], bool]) -> None:
    """Wait for it; when it does not come because something else is away, strike all the same."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if ready():
                return
        except subprocess.SubprocessError:
            continue
    print("         nothing was under way", flush=True)
