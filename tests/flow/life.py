"""An instance's life, as its events tell it."""

from __future__ import annotations

from collections.abc import Iterable

# States in which nothing is under way.
RESTING = ("running", "stopped", "failed", "deleted")
# State and event -> the state after it. A stopped instance is resized at once, a running one by a workflow.
_NEXT = {
    ("", "requested"): "requested",
    ("requested", "provisioning"): "provisioning",
    ("provisioning", "running"): "running",
    ("provisioning", "failed"): "failed",
    ("running", "failed"): "failed",
    ("running", "stopping"): "stopping",
    ("stopping", "stopped"): "stopped",
    ("stopped", "resized"): "stopped",
    ("stopped", "starting"): "starting",
    ("starting", "running"): "running",
    ("starting", "not_started"): "stopped",
    ("running", "resizing"): "resizing",
    ("resizing", "resized"): "running",
    ("resizing", "not_resized"): "running",
    ("deleted", "released"): "deleted and released",
}


def lived(events: Iterable[str]) -> str:
    """The state that events lead to; empty where no instance lives like that."""
    state = ""
    for event in events:
        # Possible at any time, once.
        may_go = event == "deleted" and state and not state.startswith("deleted")
        state = "deleted" if may_go else _NEXT.get((state, event), "")
        if not state:
            return ""
    return state
