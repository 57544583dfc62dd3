# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the engine has of a project, and whether this checkout made it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.machine import STATE_LABEL
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import PROJECT_LABEL
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

_NAMED = 5
KINDS = ("container", "network", "volume")


@dataclass(frozen=True)
class Thing:
    """A container, network or volume of the project; ``state_dir`` is what its label says, empty without one."""

    kind: str
    name: str
    state_dir: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def things(docker: Docker, project: str) -> list[Thing]:
    """Everything of a project that is there, by Compose's own label."""
    found: list[Thing] = []
    for kind in KINDS:
        every = ["--all"] if kind == "container" else []
        names = docker.lines(kind, "ls", *every, "--filter", f"label={PROJECT_LABEL}={project}", "--format", _name_of(kind))
        found += [Thing(kind, _name(item), _labels(item).get(STATE_LABEL, "")) for item in docker.objects(kind, names)]
    return found


def require_ours(found: list[Thing], project: str, state_dir: Path) -> None:
    """Refuse a project that another checkout, or somebody else, made.

    Raises ParityError LOCAL_DEV_NOT_OURS or LOCAL_DEV_MOVED, before anything is changed.
    """
    foreign = [thing for thing in found if not thing.state_dir]
    if foreign:
        raise ParityError(
            "LOCAL_DEV_NOT_OURS",
            f"the Compose project {project} has what gpuaas.parity did not make: {_some(foreign)}",
            f"if it is yours and may go with its data: docker compose --project-name {project} down --volumes",
            {"things": [str(thing) for thing in foreign]},
        )
    moved = [thing for thing in found if thing.state_dir != str(state_dir)]
    if moved:
        old = Path(moved[0].state_dir)
        away = f"docker compose --project-name {project} down --volumes, which loses its data; or move the checkout back to where it was"
        back = f"make -C {shlex.quote(str(_checkout_of(old)))} local-dev-down"
        raise ParityError(
            "LOCAL_DEV_MOVED",
            f"the Compose project {project} belongs to {old}, this checkout keeps it in {state_dir}: {_some(moved)}",
            f"{back if old.is_dir() else away}; then {{up}}; or beside it: {{up}} INSTANCE=two",
            {"was": str(old), "is": str(state_dir)},
        )


def _checkout_of(state_dir: Path) -> Path:
    """What holds the .parity that a state directory is below; its grandparent where there is none."""
    return next((path.parent for path in state_dir.parents if path.name == ".parity"), state_dir.parent.parent)


def _name_of(kind: str) -> str:
    return "{{.Names}}" if kind == "container" else "{{.Name}}"


def _name(item: dict[str, Any]) -> str:
    return str(item["Name"]).removeprefix("/")


def _labels(item: dict[str, Any]) -> dict[str, str]:
    return dict((item.get("Config") or item).get("Labels") or {})


def _some(found: list[Thing]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(str(thing) for thing in found[:_NAMED]) + more
