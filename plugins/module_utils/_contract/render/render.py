# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole rendering of a mode and lane, as file contents. Pure but for reading its inputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode, Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import load_contract, load_mode, read_source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.readers import check_readers
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.realm import resolve_realm
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import Resolved, as_json, resolve
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.check_manifests import RoleCheck
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose import Paths, compose_tree
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.identity import askers
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.kustomize import overlay
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.manifests import Base, read_base
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import Tree

# From rendered/, where it lies in the state directory, to that directory and to the checkout.
BESIDE = Paths("..", "../../..")


@dataclass(frozen=True)
class Rendering:
    """``contract`` as in rendered/contract.json, ``tree`` as below rendered/."""

    contract: Resolved
    tree: Tree


@dataclass(frozen=True)
class Inputs:
    """What every mode is rendered from, read once: contract, realm and the roles' manifests."""

    directory: Path
    roles_dir: Path
    contract: Contract
    realm: Source | None
    _bases: dict[str, Base | None] = field(default_factory=dict)

    def mode(self, name: str) -> Mode:
        """A mode by name. Raises ParityError as ``load_mode``."""
        return load_mode(self.directory, name)

    def label(self, role: str) -> str:
        """How a role's manifests are named in messages."""
        return f"{self.roles_dir.absolute().name}/{role}/files/manifests"

    def base(self, role: str) -> Base | None:
        """The manifests of a role, None where it has none."""
        if role not in self._bases:
            directory = self.roles_dir / role / "files" / "manifests"
            self._bases[role] = read_base(directory, self.label(role)) if directory.is_dir() else None
        return self._bases[role]


def load_inputs(contract_dir: Path, roles_dir: Path) -> Inputs:
    """Read what is rendered. Raises ParityError CONTRACT_*."""
    contract = load_contract(contract_dir)
    path = contract_dir / "realm.yml"
    realm = read_source(path, contract_dir) if path.exists() else None
    return Inputs(contract_dir, roles_dir, contract, realm)


def render(contract_dir: Path, mode: str, lane: str, roles_dir: Path) -> Rendering:
    """Render everything that a mode's ``rendered/`` holds; the same bytes for the same inputs.

    Raises ParityError: every CONTRACT_* and MODE_* reason.
    """
    inputs = load_inputs(contract_dir, roles_dir)
    return render_mode(inputs, inputs.mode(mode), lane)


def render_mode(inputs: Inputs, mode: Mode, lane: str, paths: Paths = BESIDE) -> Rendering:
    """One mode; ``paths`` lead from the rendered directory to what lies outside of it.

    Raises ParityError as ``render``.
    """
    resolved = resolve(inputs.contract, mode, lane)
    tree: Tree = {"contract.json": as_json(resolved)}
    if inputs.realm is not None:
        tree["realm.json"] = as_json(resolve_realm(inputs.realm, inputs.contract, mode))
    check_readers(inputs.contract, inputs.realm)
    if mode.target == "compose":
        lanes = inputs.contract.lanes
        whole = resolve(inputs.contract, mode, max(lanes, key=lambda name: len(lanes[name])))
        return Rendering(resolved, tree | compose_tree(whole, resolved, lanes, inputs.roles_dir, paths))
    return Rendering(resolved, tree | _kustomize(resolved, inputs, f"../{paths.state}" if mode.target == "kubernetes" else None))


def _kustomize(resolved: Resolved, inputs: Inputs, state: str | None) -> Tree:
    """One overlay for each role that has manifests, and services in the lane that the surroundings do not provide."""
    tree: Tree = {}
    placed = {name: service for name, service in resolved["services"].items() if "provided_by" not in service}
    contract = inputs.contract
    follows = frozenset(name for name in placed if isinstance(contract.services[name].port, str))
    asks = askers(contract, resolved)
    for role in sorted({service["role"] for service in placed.values()}):
        base = inputs.base(role)
        if base is None:
            continue
        services = {name: value for name, value in placed.items() if value["role"] == role}
        endpoints = {name: value for name, value in resolved["endpoints"].items() if value["service"] in services}
        check = RoleCheck(role, inputs.label(role), base, services, endpoints, frozenset(contract.services), follows, asks)
        check.run()
        tree |= {f"{role}/{name}": data for name, data in overlay(check, state).items()}
    return tree
