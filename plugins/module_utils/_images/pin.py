# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pin what runs: every image by the digest under which the node holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images import node as nodes
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import REPOSITORY
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit, Image, Wait
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import ensure_dir, write_json, write_text


def pin(emit: Emit, node: str, state_dir: Path, wanted: Mapping[str, str], *, dry: bool = False) -> dict[str, Any]:
    """Load what the running ``node`` lacks of ``wanted``, name to content key; returns ``loaded``, ``images`` and ``changed``.

    Writes state_dir/images/kustomization.yaml, a Kustomize component that names each image by digest, and the
    same as data in images.json. Raises ParityError IMAGE_LOAD_FAILED.
    """
    container = nodes.inspect(node, "container")
    if container is None:
        raise ParityError("IMAGE_LOAD_FAILED", f"there is no container {node}")
    recorded = _recorded(state_dir, container)
    held = nodes.baked(container.labels) | recorded
    lacking = [name for name in wanted if name not in held or held[name].key != wanted[name]]
    pinned = {name: image.key for name, image in recorded.items()} == dict(wanted)
    changed = not (pinned and (state_dir / "images" / "kustomization.yaml").is_file())
    if changed and not dry:
        if lacking:
            emit(Wait("node", 0.0, f"loading {', '.join(lacking)} into it"))
        held |= nodes.load(node, [nodes.Loadable(name, f"{REPOSITORY}/{name}:{wanted[name]}", wanted[name]) for name in lacking])
        for name in lacking:
            emit(Image(name, "loaded"))
        _write(state_dir, container.id, {name: held[name] for name in wanted})
    return {"changed": changed, "loaded": lacking, "images": {name: held[name].digest for name in wanted if name in held}}


def _recorded(state_dir: Path, container: nodes.Labelled) -> dict[str, nodes.Baked]:
    """What was pinned as this very container holds it."""
    try:
        said = json.loads((state_dir / "images" / "images.json").read_text())
        if said["node"] != container.id:
            return {}
        return {str(name): nodes.Baked(str(entry["key"]), str(entry["digest"])) for name, entry in said["images"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Without it, or when it is broken, the images are loaded once more: nothing is lost.
        return {}


def _write(state_dir: Path, container: str, held: Mapping[str, nodes.Baked]) -> None:
    folder = state_dir / "images"
    ensure_dir(folder)
    entries = {
        name: {"ref": f"{nodes.REGISTRY}/{name}@{image.digest}", "digest": image.digest, "key": image.key}
        for name, image in sorted(held.items())
    }
    component = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "images": [{"name": name, "newName": f"{nodes.REGISTRY}/{name}", "digest": entry["digest"]} for name, entry in entries.items()],
    }
    write_text(folder / "kustomization.yaml", yaml.safe_dump(component, sort_keys=False))
    write_json(folder / "images.json", {"node": container, "images": entries})
