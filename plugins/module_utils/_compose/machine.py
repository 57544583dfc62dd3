# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only this machine knows of the project: each service's image, and a digest of all that it is made from.

The digest is a label, so that another one changes the container's definition and
Compose makes it again: a rotated secret, a renewed certificate or another script reach
a service that way. And a container that bears it is as it should be, without asking
Compose (whose own digest leaves out env files when it is asked, and not when it starts).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.handed import digest_of, handed
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import (
    Object,
    is_done,
    is_healthy,
    is_once,
    name_of,
    service_of,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_container import REPOSITORY
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_deliverer import DELIVERER
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml

STATE_LABEL = "gpuaas.parity/state-dir"
MADE_FROM_LABEL = "gpuaas.parity/made-from"
# What the container that hands out files is made of besides these files.
_DELIVERER_FILES = ("deliver.sh", "deliver.list", "own.list")
_HEADER = "# Written by gpuaas.parity; what only this machine knows of the project.\n"


def load_project(rendered: Path) -> dict[str, Any]:
    """The rendered compose.yml. Raises ParityError CONTRACT_NOT_RENDERED."""
    path = rendered / "compose.yml"
    try:
        data = _yaml.load(path.read_text(encoding="utf-8"))
        if isinstance(data["services"], dict) and isinstance(data["name"], str):
            return dict(data)
        cause = "is not a Compose project"
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        cause = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    raise ParityError("CONTRACT_NOT_RENDERED", f"{path}: {cause}")


def machine_file(project: Mapping[str, Any], lane: str, keys: Mapping[str, str], rendered: Path, state_dir: Path) -> dict[str, Any]:
    """What machine.yml holds: a Compose file that is merged over compose.yml.

    ``keys`` are the content keys of images by name. Raises ParityError
    IMAGE_UNKNOWN for an image that has none, STATE_UNWRITABLE for a file that
    cannot be read.
    """
    labels = {STATE_LABEL: str(state_dir)}
    copies = handed(rendered, state_dir)
    services = {}
    for name, service in project["services"].items():
        if lane not in service["profiles"]:
            continue
        image = service["image"].removeprefix(f"{REPOSITORY}/")
        if image not in keys:
            raise ParityError("IMAGE_UNKNOWN", f"service {name} runs image {image}, which has no key")
        volumes = {mount["source"] for mount in service.get("volumes", ()) if mount["type"] == "volume"}
        made_from = [json.dumps(service, sort_keys=True), keys[image]]
        made_from += [digest_of(rendered / file) for file in service.get("env_file", ())]
        made_from += [_joined([copy.line, copy.digest]) for copy in copies if copy.volume in volumes]
        if name == DELIVERER:
            made_from += [digest_of(rendered / "files" / file) for file in _DELIVERER_FILES]
        services[name] = {"image": f"{service['image']}:{keys[image]}", "labels": labels | {MADE_FROM_LABEL: _joined(made_from)}}
    return {
        "services": services,
        "networks": {name: {"labels": labels} for name in project["networks"]},
        "volumes": {name: {"labels": labels} for name in project["volumes"]},
    }


def as_bytes(document: Mapping[str, Any]) -> bytes:
    """The bytes of machine.yml."""
    return (_HEADER + yaml.safe_dump(dict(document), sort_keys=False, width=1000)).encode()


def is_current(document: Mapping[str, Any], containers: list[Object]) -> bool:
    """Whether `up` has nothing to do: every container is made from what it should be, healthy or done, and there is no other."""
    made_from = {service_of(item): _label(item) for item in containers if (is_done(item) if is_once(item) else is_healthy(item))}
    wanted = {name: service["labels"][MADE_FROM_LABEL] for name, service in document["services"].items()}
    return len(containers) == len(wanted) and made_from == wanted


def outside(project: Mapping[str, Any], document: Mapping[str, Any], containers: list[Object]) -> list[str]:
    """The containers, by name, of services that the project has and the lane of this ``machine.yml`` has not.

    To Compose they are no orphans: the project has them, under another profile.
    """
    others = set(project["services"]) - set(document["services"])
    return sorted(name_of(item) for item in containers if service_of(item) in others)


def _label(container: Object) -> str:
    return str(((container.get("Config") or {}).get("Labels") or {}).get(MADE_FROM_LABEL) or "")


def _joined(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
