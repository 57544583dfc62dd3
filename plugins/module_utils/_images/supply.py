# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the lane's image names to a node image that holds them, and the lock of what runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images import node as nodes
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import REPOSITORY, Builder
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._images.keys import keys
from ansible_collections.gpuaas.parity.plugins.module_utils._images.plan import build_all, missing
from ansible_collections.gpuaas.parity.plugins.module_utils._images.progress import BuildProgress
from ansible_collections.gpuaas.parity.plugins.module_utils._images.prune import prune
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml

# The part of a node image that a running cluster cannot take up: a change here is drift.
NODE_KEY = "gpuaas.parity.node"


@dataclass(frozen=True)
class Supply:
    """The images of one lane, in one checkout.

    ``lane`` are the images that the contract's services run; ``node`` is the
    name of the node container, which may or may not exist; empty where the lane
    runs in the engine itself and no node image is wanted.
    """

    catalog: Catalog
    root: Path
    cache: Path
    lane: list[str]
    node: str
    facts: str

    def _keys(self) -> dict[str, str]:
        of_node = ["kind", "node", *self.catalog["node"].bundles] if self.node else []
        wanted = [*of_node, *self.lane]
        return keys(self.catalog, self.catalog.ordered(wanted), self.root, self.facts)

    def ensure(self, progress: BuildProgress, state_dir: Path, dry: bool = False) -> dict[str, Any]:
        """Build what is missing; returns the node image, the kind binary, and what was (or would be) built.

        While the node exists its image is left as it is: what changed since is
        loaded into it by `lock`, unless it is ``locked`` to all of it already.
        """
        found = self._keys()
        builder = Builder(self.root, self.cache, {name: f"{REPOSITORY}/{name}:{key}" for name, key in found.items()})
        if not self.node:
            build = missing(builder, self.catalog, self.lane)
            if not dry:
                _build(builder, build, progress)
            return {"built": [image.name for image in build], "baked": [], "image_keys": {name: found[name] for name in self.lane}}
        bundles = list(self.catalog["node"].bundles)
        stable = [name for name in self.lane if not self.catalog[name].developed]
        developed = [name for name in self.lane if self.catalog[name].developed]
        node_key = _digest(found["node"], *(found[name] for name in bundles))
        first = f"{REPOSITORY}/kind-node:{_digest(nodes.RECIPE, node_key, *(found[name] for name in stable))}"
        second = f"{REPOSITORY}/kind-node:{_digest(first, *(found[name] for name in developed))}"

        running = nodes.inspect(self.node, "container")
        needed = ["kind"]
        bake: list[str] = []
        packed: list[str] = []
        if running is not None:
            held = nodes.baked(running.labels)
            needed += [name for name in self.lane if name not in held or held[name].key != found[name]]
        elif nodes.inspect(second) is None:
            # The second stands on the first, which is of no use by itself.
            bake = [tag for tag in (first, second) if tag == second or nodes.inspect(tag) is None]
            needed += [*developed, *(["node", *bundles, *stable] if first in bake else [])]
        build = missing(builder, self.catalog, needed)
        if not dry:
            _build(builder, build, progress)
            if first in bake:
                progress.say("baking the lane's images into the node image")
                packed += nodes.bake(builder.tags["node"], first, self._loadable(found, [*bundles, *stable]), {NODE_KEY: node_key})
            if second in bake:
                progress.say("baking the control plane's images into the node image")
                packed += nodes.bake(first, second, self._loadable(found, developed), {})
            if bake:
                _prune("kind-node", {first, second}, progress)
            for name in packed:
                progress.say(f"{name} stays packed: its layers delete files of layers below, and each new node unpacks it")
        return {
            # A node that differs only in what can be loaded into it is the wanted one.
            "node_image": running.image if running and running.labels.get(NODE_KEY) == node_key else second,
            "node_key": node_key,
            "default_cni": bool(self.catalog["node"].upstream),
            "kind": str(builder.exported(self.catalog["kind"])),
            "built": [image.name for image in build],
            "baked": bake,
            "image_keys": {name: found[name] for name in self.lane},
            "locked": running is not None and self._locked(state_dir, running, found),
        }

    def _locked(self, state_dir: Path, running: nodes.Labelled, found: Mapping[str, str]) -> bool:
        recorded = {name: image.key for name, image in _recorded(state_dir, running).items()}
        return recorded == {name: found[name] for name in self.lane} and (state_dir / "images" / "kustomization.yaml").is_file()

    def lock(self, state_dir: Path, image_keys: Mapping[str, str], dry: bool = False) -> dict[str, Any]:
        """Load what the running node lacks and write the lock of digests; returns ``loaded`` and ``images``.

        The lock is a Kustomize component, state_dir/images/kustomization.yaml,
        and the same as data in images.json.
        """
        container = nodes.inspect(self.node, "container")
        if container is None:
            raise ParityError("IMAGE_LOAD_FAILED", f"there is no container {self.node}")
        held = nodes.baked(container.labels) | _recorded(state_dir, container)
        lacking = [name for name in self.lane if name not in held or held[name].key != image_keys[name]]
        if not dry:
            held |= nodes.load(self.node, self._loadable(dict(image_keys), lacking))
            _write_lock(state_dir, container.id, {name: held[name] for name in self.lane})
        return {"loaded": lacking, "images": {name: held[name].digest for name in self.lane if name in held}}

    def _loadable(self, found: Mapping[str, str], names: list[str]) -> list[nodes.Loadable]:
        return [nodes.Loadable(name, f"{REPOSITORY}/{name}:{found[name]}", found[name], self.catalog[name].node_as) for name in names]


def _build(builder: Builder, images: list[Image], progress: BuildProgress) -> None:
    for name in build_all(builder, images, progress):
        _prune(name, {builder.tags[name]}, progress)


def _prune(name: str, keep: Collection[str], progress: BuildProgress) -> None:
    for tag in prune(f"{REPOSITORY}/{name}", keep):
        progress.say(f"removed the older image {tag}")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _recorded(state_dir: Path, container: nodes.Labelled) -> dict[str, nodes.Baked]:
    """What the lock says that this very container holds."""
    try:
        lock = json.loads((state_dir / "images" / "images.json").read_text())
        if lock["node"] != container.id:
            return {}
        return {str(name): nodes.Baked(str(entry["key"]), str(entry["digest"])) for name, entry in lock["images"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Without it, or when it is no lock, the images are loaded once more: nothing is lost.
        return {}


def _write_lock(state_dir: Path, container: str, held: Mapping[str, nodes.Baked]) -> None:
    folder = state_dir / "images"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    entries = {
        name: {"ref": f"{nodes.REGISTRY}/{name}@{image.digest}", "digest": image.digest, "key": image.key}
        for name, image in sorted(held.items())
    }
    component = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "images": [{"name": name, "newName": f"{nodes.REGISTRY}/{name}", "digest": entry["digest"]} for name, entry in entries.items()],
    }
    for name, text in {
        "kustomization.yaml": yaml.safe_dump(component, sort_keys=False),
        "images.json": json.dumps({"node": container, "images": entries}, indent=2) + "\n",
    }.items():
        scratch = folder / f".{name}.new"
        scratch.write_text(text)
        scratch.replace(folder / name)
