# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the lane's image names to a node image that holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._images import node as nodes
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import REPOSITORY, Builder
from ansible_collections.gpuaas.parity.plugins.module_utils._images.caches import note_use
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._images.keys import keys
from ansible_collections.gpuaas.parity.plugins.module_utils._images.plan import build_all, missing
from ansible_collections.gpuaas.parity.plugins.module_utils._images.prune import prune
from ansible_collections.gpuaas.parity.plugins.module_utils._images.supplied import Supplied, file_of
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit, Note, Wait
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Image as ImageEvent

# The part of a node image that a running cluster cannot take up: a change here is drift.
NODE_KEY = "gpuaas.parity.node"


@dataclass(frozen=True)
class Supply:
    """The images of one lane.

    ``lane`` are the images that the contract's services run; ``node`` is the
    name of the node container, which may or may not exist; empty where the lane
    runs in the engine itself and no node image is wanted. ``facts`` is the
    machine's architecture, ``pulls`` says whether a registry may be asked.
    """

    catalog: Catalog
    cache: Path
    lane: list[str]
    node: str
    facts: str
    pulls: bool = True

    def _keys(self) -> dict[str, str]:
        of_node = ["kind", "node", *self.catalog["node"].bundles] if self.node else []
        return keys(self.catalog.ordered([*of_node, *self.lane]), self.facts)

    def ensure(self, emit: Emit, state_dir: Path, dry: bool = False) -> dict[str, Any]:
        """Build what is missing; returns what `Supplied` holds, and what was (or would be) built and baked.

        Unless ``dry``, the first is written to ``state_dir`` as well. While the node
        exists its image is left as it is: what changed since is loaded into it by `pin`.
        """
        found = self._keys()
        lane_keys = {name: found[name] for name in self.lane}
        builder = Builder(self.cache, {name: f"{REPOSITORY}/{name}:{key}" for name, key in found.items()}, self.pulls)
        if not dry:
            note_use(self.cache, builder.tags.values())
        if not self.node:
            build = missing(builder, self.catalog, self.lane)
            if not dry:
                _build(builder, build, emit)
                Supplied(lane_keys).write(file_of(state_dir))
            return {**asdict(Supplied(lane_keys)), "built": [image.name for image in build], "baked": []}
        bundles = list(self.catalog["node"].bundles)
        stable = [name for name in self.lane if not self.catalog[name].developed]
        developed = [name for name in self.lane if self.catalog[name].developed]
        node_key = _digest(found["node"], *(found[name] for name in bundles))
        first = f"{REPOSITORY}/kind-node:{_digest(nodes.RECIPE, node_key, *(found[name] for name in stable))}"
        second = f"{REPOSITORY}/kind-node:{_digest(first, *(found[name] for name in developed))}" if developed else first

        if not dry:
            note_use(self.cache, (first, second))

        running = nodes.inspect(self.node, "container")
        needed = ["kind"]
        bake: list[str] = []
        packed: list[str] = []
        if running is not None:
            held = nodes.baked(running.labels)
            needed += [name for name in self.lane if name not in held or held[name].key != found[name]]
        elif nodes.inspect(second) is None:
            # The second stands on the first, which is of no use by itself.
            bake = [tag for tag in dict.fromkeys((first, second)) if tag == second or nodes.inspect(tag) is None]
            needed += [*developed, *(["node", *bundles, *stable] if first in bake else [])]
        build = missing(builder, self.catalog, needed)
        if not dry:
            _build(builder, build, emit)
            if bake:
                emit(ImageEvent("kind-node", "started"))
            if first in bake:
                emit(Wait("node image", 0.0, "baking the lane's images into it"))
                packed += nodes.bake(builder.tags["node"], first, self._loadable(found, [*bundles, *stable]), {NODE_KEY: node_key})
            if developed and second in bake:
                emit(Wait("node image", 0.0, "baking the images under development into it"))
                packed += nodes.bake(first, second, self._loadable(found, developed), {})
            if bake:
                emit(ImageEvent("kind-node", "built"))
                _prune("kind-node", {first, second}, emit)
            for name in packed:
                emit(Note(f"{name} stays packed: its layers delete files of layers below, and each new node unpacks it"))
        # A node that differs only in what can be loaded into it is the wanted one.
        stays = running if running and running.labels.get(NODE_KEY) == node_key else None
        made_of = stays or nodes.inspect(second) or running
        supplied = Supplied(
            lane_keys,
            node_image=stays.image if stays else second,
            node_key=node_key,
            default_cni=made_of is not None and made_of.labels.get(nodes.DEFAULT_CNI) == "true",
            kind=str(builder.exported(self.catalog["kind"])),
        )
        if not dry:
            supplied.write(file_of(state_dir))
        return {**asdict(supplied), "built": [image.name for image in build], "baked": bake}

    def _loadable(self, found: Mapping[str, str], names: list[str]) -> list[nodes.Loadable]:
        return [nodes.Loadable(name, f"{REPOSITORY}/{name}:{found[name]}", found[name], self.catalog[name].node_as) for name in names]


def _build(builder: Builder, images: list[Image], emit: Emit) -> None:
    for name in build_all(builder, images, emit):
        _prune(name, {builder.tags[name]}, emit)


def _prune(name: str, keep: Collection[str], emit: Emit) -> None:
    for tag in prune(f"{REPOSITORY}/{name}", keep):
        emit(Note(f"removed the older image {tag}"))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
