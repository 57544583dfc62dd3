"""Histories of workflows as they ran, one file each: what is under way when the code changes looks like one of them.

A file that is not there is written by the test that makes its history; it is never written over, since a deployment may have
begun workflows with the code of before.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

DIRECTORY = Path(__file__).resolve().parents[1] / "histories"


def keep(name: str, history: WorkflowHistory) -> None:
    """See that there is a history of this name."""
    file = DIRECTORY / f"{name}.json"
    if not file.exists():
        document = {"workflow_id": history.workflow_id, **json.loads(history.to_json(), object_hook=_without_traces)}
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def kept() -> dict[str, WorkflowHistory]:
    """Every history, by name."""
    return {file.stem: _read(file) for file in sorted(DIRECTORY.glob("*.json"))}


def _without_traces(thing: dict[str, Any]) -> dict[str, Any]:
    """Where a step failed is a place on somebody's disk."""
    return {key: value for key, value in thing.items() if key != "stackTrace"}


def _read(file: Path) -> WorkflowHistory:
    document = json.loads(file.read_text(encoding="utf-8"))
    return WorkflowHistory.from_json(document.pop("workflow_id"), document)
