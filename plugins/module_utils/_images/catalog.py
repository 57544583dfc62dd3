# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image catalog: what each image is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml


@dataclass(frozen=True)
class Image:
    """One entry of the catalog; ``bootstrap`` or ``context`` says how it is built, ``upstream`` where it is pulled."""

    name: str
    bootstrap: str = ""
    context: str = ""
    target: str = ""
    from_: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    export: str = ""
    node_as: str = ""
    bundles: tuple[str, ...] = ()
    developed: bool = False
    upstream: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Catalog:
    """All images by name, with their build order."""

    images: Mapping[str, Image]

    def __getitem__(self, name: str) -> Image:
        if name not in self.images:
            known = ", ".join(sorted(self.images))
            raise ParityError("IMAGE_UNKNOWN", f"no image {name!r} in images/catalog.yml; it has {known}")
        return self.images[name]

    def ordered(self, names: list[str]) -> list[Image]:
        """``names`` and all that they are built from, every image after its parents."""
        done: dict[str, Image] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise ParityError("IMAGE_CATALOG_INVALID", f"images/catalog.yml: cycle {' -> '.join((*path, name))}")
            if name not in done:
                image = self[name]
                for parent in image.from_.values():
                    visit(parent, (*path, name))
                done[name] = image

        for name in names:
            visit(name, ())
        return list(done.values())


def load(path: Path) -> Catalog:
    """Read the catalog at ``path``.

    Raises ParityError ``IMAGE_CATALOG_INVALID`` with the entry at fault.
    """
    try:
        document = _yaml.load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ParityError("IMAGE_CATALOG_INVALID", f"{path}: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("images"), dict):
        raise ParityError("IMAGE_CATALOG_INVALID", f"{path}: no mapping `images`")
    return Catalog({name: _image(name, entry) for name, entry in document["images"].items()})


def _image(name: str, entry: Any) -> Image:
    fields = set(Image.__dataclass_fields__) - {"name", "from_", "upstream", "digest"} | {"from"}
    if not isinstance(entry, dict) or set(entry) - fields:
        unknown = sorted(set(entry) - fields) if isinstance(entry, dict) else entry
        raise ParityError("IMAGE_CATALOG_INVALID", f"images/catalog.yml: images.{name}: unknown {unknown}")
    if bool(entry.get("bootstrap")) == bool(entry.get("context")):
        raise ParityError("IMAGE_CATALOG_INVALID", f"images/catalog.yml: images.{name}: needs `bootstrap` or `context`")
    values = {("from_" if key == "from" else key): value for key, value in entry.items()}
    values["bundles"] = tuple(values.get("bundles", ()))
    return Image(name=name, **values)
