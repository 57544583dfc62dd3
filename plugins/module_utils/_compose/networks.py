# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers that were taken off a network of theirs: healthy by themselves, and out of everybody's reach.

Compose compares definitions, not what the engine connects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Object, service_of


def cut_off(document: Mapping[str, Any], containers: list[Object]) -> list[str]:
    """The services of a compose.yml with a container that lacks a network which its definition names."""
    names = {key: str(network["name"]) for key, network in document["networks"].items()}
    found = set()
    for container in containers:
        service = document["services"].get(service_of(container))
        if service is None or "network_mode" in service:
            continue
        wanted = {names[key] for key in service.get("networks", ["default"])}
        if not wanted <= ((container.get("NetworkSettings") or {}).get("Networks") or {}).keys():
            found.add(service_of(container))
    return sorted(found)
