# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content keys: an image is built again only when something it is made from has changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Image

# Never part of an image: what tools leave beside the sources.
_IGNORED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".venv", "tests"}
# Beside a Dockerfile; what of it decides what is in the image is in the key already.
_ENTRY = "image.yml"


def keys(images: list[Image], facts: str) -> dict[str, str]:
    """The key, 16 hex digits, of each of ``images`` (parents first).

    ``facts`` is whatever else an image depends on for all of them at once, such
    as the machine architecture. Where a folder lies is no part of a key.
    Raises ParityError ``IMAGE_CATALOG_INVALID`` when a folder or its Dockerfile is missing.
    """
    known: dict[str, str] = {}
    trees: dict[tuple[Path, str], str] = {}

    def tree(image: Image, folder: Path, besides: str = "") -> str:
        if (folder, besides) not in trees:
            if not folder.is_dir():
                raise ParityError("IMAGE_CATALOG_INVALID", f"{image.where}: {folder} is no folder")
            trees[folder, besides] = tree_digest(folder, besides)
        return trees[folder, besides]

    for image in images:
        parts = [facts, json.dumps(_definition(image), sort_keys=True), *(known[parent] for parent in image.from_.values())]
        if image.context and not image.pulled:
            parts.append(tree(image, image.context, _ENTRY))
            if not (image.context / "Dockerfile").is_file():
                raise ParityError("IMAGE_CATALOG_INVALID", f"{image.where}: {image.context} holds no Dockerfile")
        parts += [tree(image, folder) for folder in image.contexts.values()]
        known[image.name] = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return known


def _definition(image: Image) -> dict[str, Any]:
    """What of an entry decides what is in the image."""
    if image.upstream and image.pulled:
        said: dict[str, Any] = {"upstream": image.upstream.reference, "digest": image.upstream.digest}
    else:
        said = {"bootstrap": image.bootstrap, "target": image.target, "from_": image.from_, "export": image.export}
        said["contexts"] = list(image.contexts)
    return {"name": image.name} | {key: value for key, value in said.items() if value}


def tree_digest(folder: Path, besides: str = "") -> str:
    """A digest of the names, executable bits and contents of all files below ``folder``, besides one of them."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or _IGNORED & set(relative.parts) or path.suffix == ".pyc" or relative.as_posix() == besides:
            continue
        executable = "x" if path.stat().st_mode & 0o100 else "-"
        digest.update(f"{relative.as_posix()}\0{executable}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
