# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole rendering of a mode and lane, as file contents. Pure but for reading its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform, load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.realm import resolve_realm
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import Resolved, as_json, of_lane, resolve
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.validate import check_lane
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.check_manifests import RoleCheck
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose import Paths, compose_tree
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.kustomize import overlay, role_base
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.network_policies import Policies
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.routes import Door
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import Tree

# From rendered/, where it lies in the state directory, to that directory and to the checkout.
BESIDE = Paths("..", "../../..")


@dataclass(frozen=True)
class Rendering:
    """``contract`` as in rendered/contract.json, ``tree`` as below rendered/."""

    contract: Resolved
    tree: Tree


def render(folder: Path, mode: str, lane: str) -> Rendering:
    """Render everything that a mode's ``rendered/`` holds; the same bytes for the same inputs.

    Raises ParityError: every PLATFORM_*, CONTRACT_* and MODE_* reason.
    """
    platform = load_platform(folder)
    return render_mode(platform, platform.mode(mode), lane)


def render_mode(platform: Platform, mode: Mode, lane: str, paths: Paths = BESIDE) -> Rendering:
    """One mode; ``paths`` lead from the rendered directory to what lies outside of it.

    Raises ParityError as ``render``.
    """
    contract = platform.contract
    check_lane(contract, lane)
    mode = mode.in_lane(contract, lane)
    whole = resolve(contract, mode)
    resolved = of_lane(whole, contract, lane)
    tree: Tree = {"contract.json": as_json(resolved)}
    if platform.realm is not None:
        tree["realm.json"] = as_json(resolve_realm(platform.realm, contract, mode))
    if mode.target == "compose":
        return Rendering(resolved, tree | compose_tree(whole, resolved, platform, paths))
    return Rendering(resolved, tree | _kustomize(resolved, platform, f"../{paths.state}" if mode.target == "kubernetes" else None))


def _kustomize(resolved: Resolved, platform: Platform, state: str | None) -> Tree:
    """One overlay for each role that has components in the lane which the surroundings do not provide."""
    tree: Tree = {}
    placed = {name: service for name, service in resolved["services"].items() if "provided_by" not in service}
    contract = platform.contract
    follows = frozenset(name for name in placed if any(isinstance(port, str) for port in contract.services[name].ports.values()))
    asks = {name: service["identity"] for name, service in resolved["services"].items() if "identity" in service}
    kept = any("keeps_secrets" in service for service in placed.values())
    policies = Policies(contract, resolved, platform.components, asks)
    door = Door.of(resolved, platform.components)
    for role in sorted({service["role"] for service in placed.values()}):
        services = {name: value for name, value in placed.items() if value["role"] == role}
        endpoints = {name: value for name, value in resolved["endpoints"].items() if value["service"] in services}
        base = role_base({name: platform.components[name] for name in services})
        labels = {name: f"{platform.components[name].label}/kubernetes" for name in services}
        check = RoleCheck(base, labels, services, endpoints, follows, asks, kept)
        check.run()
        tree |= {f"{role}/{name}": data for name, data in overlay(check, state, policies.of(services), door).items()}
    return tree
