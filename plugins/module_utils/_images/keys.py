# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content keys: an image is built again only when something it is made from has changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image

# Never part of an image: what tools leave beside the sources.
_IGNORED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".venv", "tests"}


def keys(catalog: Catalog, images: list[Image], root: Path, facts: str) -> dict[str, str]:
    """The key, 16 hex digits, of each of ``images`` (parents first).

    ``root`` is the checkout; ``facts`` is whatever else an image depends on
    for all of them at once, such as source and machine architecture.
    Raises ParityError ``IMAGE_CATALOG_INVALID`` when a folder is missing.
    """
    known: dict[str, str] = {}
    trees: dict[Path, str] = {}

    def tree(folder: Path) -> str:
        if folder not in trees:
            trees[folder] = tree_digest(folder)
        return trees[folder]

    for image in images:
        definition = {k: v for k, v in asdict(image).items() if v and k not in ("node_as", "developed", "bundles")}
        parts = [facts, json.dumps(definition, sort_keys=True), *(known[parent] for parent in image.from_.values())]
        if image.context:
            parts.append(tree(root / "images" / image.context))
        parts += [tree(root / folder) for folder in image.contexts.values()]
        known[image.name] = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return known


def tree_digest(folder: Path) -> str:
    """A digest of the names, executable bits and contents of all files below ``folder``."""
    if not folder.is_dir():
        raise ParityError("IMAGE_CATALOG_INVALID", f"images/catalog.yml names {folder}, which is no folder")
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or _IGNORED & set(relative.parts) or path.suffix == ".pyc":
            continue
        executable = "x" if path.stat().st_mode & 0o100 else "-"
        digest.update(f"{relative.as_posix()}\0{executable}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
