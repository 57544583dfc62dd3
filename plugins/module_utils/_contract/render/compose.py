# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolved contract + the components' manifests and exceptions -> a Compose project, as file contents.

The project is whole and plain: no variable, no secret, relative paths only, so that
its bytes are the same on every machine. What only this machine knows (image tags,
digests of secrets) comes from the state directory's machine.yml, which ``.env`` adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import Resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.place import REFERENCE
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_deliverer import (
    DELIVERER,
    MEMORY,
    Deliveries,
    once_each,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_files import HEADER, as_yaml, env_file, routes
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_order import depends_on
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_services import Derived, Part
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.ingress_paths import paths_by_endpoint
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.routes import FILE as ROUTES_FILE
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.routes import Door
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import Tree
from ansible_collections.gpuaas.parity.plugins.module_utils._images.assemble import catalog_of

# Before what is the service's own, in the order of the file.
_FIRST = ("image", "pull_policy", "profiles", "user", "entrypoint", "command", "env_file", "environment", "depends_on", "healthcheck")


@dataclass(frozen=True)
class Paths:
    """Relative paths from the rendered directory: to the state directory, and to the checkout."""

    state: str
    checkout: str


def compose_tree(whole: Resolved, lane: Resolved, platform: Platform, paths: Paths) -> Tree:
    """compose.yml with its files, by path below the rendered directory.

    ``whole`` is the contract resolved for all of its lanes: compose.yml has every
    service, each with the names of its lanes as profiles. ``lane`` is the lane that
    this run brings up; only its files are handed out.

    Raises ParityError: COMPOSE_UNDERIVABLE, COMPOSE_CHANGES_MEANING, IMAGE_CATALOG_INVALID, IMAGE_TWICE, CONTRACT_REFERENCE,
    CONTRACT_UNREADABLE, CONTRACT_CYCLE, CONTRACT_INVALID.
    """
    lanes = platform.contract.lanes
    placed = {name: lane["services"].get(name, service) for name, service in whole["services"].items() if "provided_by" not in service}
    ingresses = paths_by_endpoint(component.base for component in platform.components.values())
    said = routes(lane["endpoints"], lane["services"], ingresses)
    door = Door.of(lane, platform.components)
    made = {ROUTES_FILE: (door and door.file(said)) or said}
    derived = {name: Derived(platform.components[name], service, _endpoints(name, whole, lane), made) for name, service in placed.items()}
    _refuse_undeveloped(platform, placed)
    for one in derived.values():
        one.refuse()
    parts = {name: one.parts(derived, paths.checkout) for name, one in derived.items()}
    _refuse_shared(parts)
    here = [part for name in placed if name in lane["services"] for part in parts[name].values()]
    handed = Deliveries(
        once_each(group for part in here for group in part.mounts.groups),
        {volume: part.owner for part in here for volume in part.mounts.data.values()},
    )

    every = {container: part for of_component in parts.values() for container, part in of_component.items()}
    order = depends_on(every, set(whole["services"]), DELIVERER)
    services: dict[str, Any] = {}
    volumes: dict[str, Any] = {}
    for name, of_component in parts.items():
        profiles = [lane_name for lane_name, members in lanes.items() if name in members]
        for container, part in of_component.items():
            aliases = _aliases(name, placed[name], whole) if container == name else []
            services[container] = _service(part, profiles, order[container], aliases)
            made_of = [(group.volume, {"driver_opts": MEMORY}) for group in part.mounts.groups]
            volumes |= dict([*made_of, *((volume, {}) for volume in part.mounts.data.values())])
    services[DELIVERER] = _ordered(handed.service(list(lanes), paths.state))

    project = whole["project"]
    document = {"name": project, "services": services, "networks": {"default": {"name": project}}, "volumes": volumes}
    tree: Tree = {"compose.yml": as_yaml(document)}
    tree[".env"] = _dotenv(project, lane["lane"], paths.state)
    tree |= {f"{name}.env": env_file(service["settings"]) for name, service in placed.items() if service["settings"]}
    return tree | {f"files/{name}": data for name, data in handed.files().items()}


def _endpoints(name: str, whole: Resolved, lane: Resolved) -> dict[str, Any]:
    """Those of the lane, and the component's own."""
    return {**lane["endpoints"], **{key: value for key, value in whole["endpoints"].items() if value["service"] == name}}


def _service(part: Part, profiles: list[str], order: dict[str, Any], aliases: list[str]) -> dict[str, Any]:
    mounted = part.mounts.service(part.owner)
    built = part.service | {"profiles": profiles, "depends_on": order, **mounted}
    built["volumes"] = [*mounted["volumes"], *part.service.get("volumes", ())]
    if aliases:
        built["networks"] = {"default": {"aliases": aliases}}
    return _ordered(built)


def _ordered(service: dict[str, Any]) -> dict[str, Any]:
    ordered = {key: service[key] for key in _FIRST if key in service} | service
    return {key: value for key, value in ordered.items() if value not in (None, [], {})}


def _refuse_undeveloped(platform: Platform, placed: Mapping[str, Any]) -> None:
    """Source goes over code that is edited here; over another's it would be a program of its own."""
    problems = Problems()
    sourced = {name: platform.components[name].exceptions for name in placed if platform.components[name].exceptions.source}
    images = catalog_of(platform, REFERENCE.parent).images if sourced else {}
    for name, exceptions in sourced.items():
        image = placed[name].get("image", "")
        if image not in images or not images[image].developed:
            problems.add("COMPOSE_CHANGES_MEANING", exceptions.where("source"), f"image {image} is not marked `developed`")
    problems.refuse()


def _refuse_shared(parts: Mapping[str, Mapping[str, Part]]) -> None:
    """Two containers of one name, or two things in one volume: one of them would be lost."""
    problems = Problems()
    containers: dict[str, str] = {DELIVERER: "what hands out files"}
    volumes: dict[str, object] = {}
    for component, of_component in parts.items():
        for container, part in of_component.items():
            if (other := containers.setdefault(container, component)) != component:
                problems.add("CONTRACT_INVALID", component, f"has a container {container}, as {other} has")
            held: dict[str, object] = {group.volume: (group.owner, group.files) for group in part.mounts.groups}
            held |= dict.fromkeys(part.mounts.data.values(), part.keeper or container)
            for volume, what in held.items():
                if volumes.setdefault(volume, what) != what:
                    problems.add("COMPOSE_UNDERIVABLE", f"{component}: {container}", f"volume {volume} holds something else elsewhere")
    problems.refuse()


def _aliases(name: str, service: dict[str, Any], whole: Resolved) -> list[str]:
    """The ingress answers to every public name, inside as outside; others to the host that the mode gives them."""
    public = sorted(endpoint["host"] for endpoint in whole["endpoints"].values()) if service["role"] == "ingress" else []
    return [*public, *([service["host"]] if service.get("host", name) != name else [])]


def _dotenv(project: str, lane: str, state: str) -> bytes:
    """What lets a person type ``docker compose ps`` in the rendered directory."""
    lines = [f"COMPOSE_PROJECT_NAME={project}", f"COMPOSE_FILE=compose.yml:{state}/machine.yml", f"COMPOSE_PROFILES={lane}"]
    return (HEADER + "\n".join(lines) + "\n").encode()
