# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalog of a platform: the shared images, and those that its components bring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import check_schema, read_file
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image, Upstream

_INVALID = "IMAGE_CATALOG_INVALID"


def catalog_of(platform: Platform, root: Path) -> Catalog:
    """Every image of ``platform``, and those that the collection at ``root`` has for all of them in images/catalog.yml.

    Raises ParityError: IMAGE_CATALOG_INVALID, IMAGE_TWICE, CONTRACT_UNREADABLE, CONTRACT_DUPLICATE_KEY.
    """
    found: dict[str, Image] = {}
    _add(found, _read(read_file(root / "images" / "catalog.yml", root / "images", invalid=_INVALID), root / "images"))
    for component in platform.components.values():
        _add(found, _of_component(component))
    # What a platform leaves out it does not run, but what it keeps may be built from it.
    for image in _left_out(platform):
        found.setdefault(image.name, image)
    return Catalog(found)


def _add(found: dict[str, Image], images: Iterator[Image]) -> None:
    for image in images:
        if image.name in found:
            raise ParityError("IMAGE_TWICE", f"{image.where}: {found[image.name].where} defines it too")
        found[image.name] = image


def _of_component(component: Component) -> Iterator[Image]:
    """What its folder image/ makes, or the image that component.yml names by reference."""
    file = component.file("image/image.yml", invalid=_INVALID)
    if file is not None:
        yield from _read(file, component.folder / "image")
    said = component.source.data.get("image")
    if isinstance(said, dict):
        where = component.source.where("image", "reference")
        yield Image(component.name, where, upstream=Upstream.parse(said["reference"]), pulled=True)


def _left_out(platform: Platform) -> Iterator[Image]:
    for folder in platform.folders:
        for path in sorted(folder.glob("components/*/image/image.yml")):
            component = platform.components.get(path.parent.parent.name)
            if component is None or component.root != folder:
                yield from _read(read_file(path, folder, invalid=_INVALID), path.parent)


def _read(file: File, folder: Path) -> Iterator[Image]:
    """The entries of a file that lies in ``folder``, to which its paths are relative."""
    check_schema(file, "image", _INVALID, iter(()))
    for name, entry in file.data.items():
        yield _image(name, entry, file.where(name), folder)


def _image(name: str, entry: dict[str, Any], where: str, folder: Path) -> Image:
    image = Image(
        name,
        where,
        bootstrap=entry.get("bootstrap", ""),
        upstream=Upstream(**entry["upstream"]) if "upstream" in entry else None,
    )
    if image.bootstrap:
        return image
    return replace(
        image,
        context=(folder / entry.get("context", ".")).resolve(),
        target=entry.get("target", ""),
        from_=entry.get("from", {}),
        contexts={key: (folder / path).resolve() for key, path in entry.get("contexts", {}).items()},
        export=entry.get("export", ""),
        node_as=entry.get("node_as", ""),
        bundles=tuple(entry.get("bundles", ())),
        developed=entry.get("developed", False),
    )
