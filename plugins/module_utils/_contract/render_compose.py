# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolved contract + the role compose's fragments -> a Compose project, as file contents.

The project is whole and plain: no variable, no secret, relative paths only, so that
its bytes are the same on every machine. What only this machine knows (image tags,
digests of secrets) comes from the state directory's machine.yml, which ``.env`` adds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compose_files import (
    HEADER,
    Delivery,
    Mount,
    as_yaml,
    deliveries,
    env_file,
    mounts,
    routes,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compose_fragments import Fragment, read_fragment
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compose_services import (
    Placed,
    bind,
    data_volume,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.load import read_text
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.resolve import Resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.tree import Tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# The container that hands out files; see its fragment.
DELIVERER = "secrets"
# A few hundred kilobytes at most, seen by nothing but its own service.
_MEMORY = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=0755,nosuid,nodev,noexec"}


@dataclass(frozen=True)
class Paths:
    """Relative paths from the rendered directory: to the state directory, and to the checkout."""

    state: str
    checkout: str


def compose_tree(whole: Resolved, lane: Resolved, lanes: Mapping[str, Sequence[str]], roles_dir: Path, paths: Paths) -> Tree:
    """compose.yml with its files, by path below the rendered directory.

    ``whole`` is the contract resolved for its largest lane: compose.yml has every
    service, each with the names of its lanes as profiles. ``lane`` is the lane that
    this run brings up; only its files are handed out.

    Raises ParityError: CONTRACT_MANIFEST_MISMATCH, CONTRACT_MANIFEST_INVALID, CONTRACT_DUPLICATE_KEY.
    """
    fragments = roles_dir / "compose" / "files" / "services"
    placed = {name: service for name, service in whole["services"].items() if "provided_by" not in service}
    parts = {name: read_fragment(fragments, name) for name in placed}
    for name, fragment in parts.items():
        _check(fragment, placed[name])
    handed = [item for name in placed if name in lane["services"] for item in deliveries(parts[name], placed[name], lane["endpoints"])]

    services: dict[str, Any] = {}
    volumes: dict[str, Any] = {}
    for name, service in placed.items():
        fragment = parts[name]
        mounted = mounts(fragment, service)
        volumes |= {mount.volume: {"driver_opts": _MEMORY} for mount in mounted}
        volumes |= {data_volume(name): {}} if fragment.data else {}
        names = [lane_name for lane_name, members in lanes.items() if name in members]
        services |= Placed(fragment, service, names, mounted, _aliases(name, service, whole), paths.checkout).containers()
    owners = {data_volume(name): parts[name].owner for name in placed if parts[name].data and name in lane["services"]}
    services |= _deliverer(read_fragment(fragments, DELIVERER), list(lanes), handed, owners, paths.state)

    project = whole["project"]
    document = {"name": project, "services": services, "networks": {"default": {"name": project}}, "volumes": volumes}
    tree: Tree = {"compose.yml": as_yaml(document)}
    tree[".env"] = _dotenv(project, lane["lane"], paths.state)
    tree |= {f"{name}.env": env_file(service["settings"]) for name, service in placed.items() if service["settings"]}
    tree["files/routes.yml"] = routes(lane["endpoints"], lane["services"])
    tree["files/deliver.sh"] = read_text(roles_dir / "compose" / "files" / "deliver.sh", "roles/compose/files/deliver.sh").encode()
    tree["files/deliver.list"] = "".join(item.line for item in handed).encode()
    tree["files/own.list"] = "".join(f"{owner} /own/{volume}\n" for volume, owner in owners.items()).encode()
    for item in handed:
        kind, _separator, path = item.origin.partition("/")
        if kind == "roles":
            tree[f"files/{PurePosixPath(path).name}"] = read_text(roles_dir / path, item.origin).encode()
    return tree


def _check(fragment: Fragment, service: dict[str, Any]) -> None:
    """Data without a volume, or a volume for no data: the mode and the fragment contradict each other."""
    if bool(fragment.data) != bool(service.get("volume")):
        said = "keeps data, its placement has no volume" if fragment.data else "keeps no data, its placement has a volume"
        raise ParityError("CONTRACT_MANIFEST_MISMATCH", f"{fragment.label}: {fragment.service} {said}")
    if service.get("source") and not any("x-source" in container for container in fragment.containers.values()):
        raise ParityError("CONTRACT_MANIFEST_MISMATCH", f"{fragment.label}: has no x-source, its placement has a source")


def _aliases(name: str, service: dict[str, Any], whole: Resolved) -> list[str]:
    """The ingress answers to every public name, inside as outside; others to the host that the mode gives them."""
    public = sorted(endpoint["host"] for endpoint in whole["endpoints"].values()) if service["role"] == "ingress" else []
    return [*public, *([service["host"]] if service["host"] != name else [])]


def _deliverer(
    fragment: Fragment, lanes: list[str], handed: list[Delivery], owners: Mapping[str, str], state: str
) -> dict[str, dict[str, Any]]:
    written = [Mount(volume, f"/to/{volume}") for volume in dict.fromkeys(item.volume for item in handed)]
    written += [Mount(volume, f"/own/{volume}") for volume in owners]
    service: dict[str, Any] = {"image": "base", "settings": {}, "secrets": {}}
    built = Placed(fragment, service, lanes, [], [], "").containers()
    # The CA's key and the secrets of other services stay outside: only what is handed out is seen.
    sources = sorted({item.origin.partition("/")[2].rpartition("/")[0] for item in handed if item.origin.startswith("state/secrets/")})
    sources += sorted({item.origin.partition("/")[2] for item in handed if item.origin.startswith("state/tls/")})
    built[DELIVERER]["volumes"] = [
        bind("./files", "/from/files"),
        *(bind(f"{state}/{path}", f"/from/state/{path}") for path in sources),
        *({"type": "volume", "source": mount.volume, "target": mount.at} for mount in written),
    ]
    return built


def _dotenv(project: str, lane: str, state: str) -> bytes:
    """What lets a person type ``docker compose ps`` in the rendered directory."""
    lines = [f"COMPOSE_PROJECT_NAME={project}", f"COMPOSE_FILE=compose.yml:{state}/machine.yml", f"COMPOSE_PROFILES={lane}"]
    return (HEADER + "\n".join(lines) + "\n").encode()
