# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole rendering of a mode and lane, as file contents. Pure but for reading its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.check_manifests import RoleCheck
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.load import load_contract, load_mode, read_source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.manifests import read_base
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.realm import resolve_realm
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render_kustomize import overlay
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.resolve import Resolved, as_json, resolve
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.tree import Tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


@dataclass(frozen=True)
class Rendering:
    """``contract`` as in rendered/contract.json, ``tree`` as below rendered/."""

    contract: Resolved
    tree: Tree


def render(contract_dir: Path, mode: str, lane: str, roles_dir: Path) -> Rendering:
    """Render everything that a mode's ``rendered/`` holds; the same bytes for the same inputs.

    Raises ParityError: every CONTRACT_* and MODE_* reason.
    """
    contract = load_contract(contract_dir)
    placed = load_mode(contract_dir, mode)
    target = _TARGETS.get(placed.name)
    if target is None:
        raise ParityError("CONTRACT_UNKNOWN_MODE", f"nothing renders mode {placed.name} yet")
    resolved = resolve(contract, placed, lane)
    tree: Tree = {"contract.json": as_json(resolved)}
    if (contract_dir / "realm.yml").exists():
        realm = resolve_realm(read_source(contract_dir / "realm.yml", contract_dir), contract, placed)
        tree["realm.json"] = as_json(realm)
    tree |= target(resolved, frozenset(contract.services), roles_dir)
    return Rendering(resolved, tree)


def _kustomize(resolved: Resolved, known: frozenset[str], roles_dir: Path) -> Tree:
    """One overlay for each role that has services in the lane and manifests."""
    tree: Tree = {}
    for role in sorted({service["role"] for service in resolved["services"].values()}):
        directory = roles_dir / role / "files" / "manifests"
        if not directory.is_dir():
            continue
        label = f"{roles_dir.absolute().name}/{role}/files/manifests"
        services = {name: value for name, value in resolved["services"].items() if value["role"] == role}
        endpoints = {name: value for name, value in resolved["endpoints"].items() if value["service"] in services}
        check = RoleCheck(role, label, read_base(directory, label), services, endpoints, known)
        check.run()
        tree |= {f"{role}/{name}": data for name, data in overlay(check).items()}
    return tree


# How a mode's services are brought up; a mode that is not here cannot be rendered.
_TARGETS: dict[str, Callable[[Resolved, frozenset[str], Path], Tree]] = {"kind": _kustomize}
