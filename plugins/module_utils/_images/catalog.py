# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that there are: what each is made from, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


@dataclass(frozen=True)
class Upstream:
    """An image of a registry: ``reference`` is host/repository, with a tag or not; ``digest`` may be unknown yet."""

    reference: str
    digest: str = ""

    @classmethod
    def parse(cls, reference: str) -> Upstream:
        """From host/repository[:tag]@sha256:…"""
        name, _separator, digest = reference.partition("@")
        return cls(name, digest)

    @property
    def repository(self) -> str:
        """The reference without its tag."""
        head, slash, last = self.reference.rpartition("/")
        return f"{head}{slash}{last.partition(':')[0]}"

    def at(self, registry: str) -> Upstream:
        """The same image in another registry, such as a mirror on loopback; "" keeps its own."""
        path = self.reference.partition("/")[2]
        return replace(self, reference=f"{registry}/{path}") if registry else self

    def pinned(self, digest: str) -> str:
        """The reference by ``digest`` instead of tag."""
        return f"{self.repository}@{digest}"


@dataclass(frozen=True)
class Image:
    """One image. ``bootstrap`` or ``context`` says how it is built, ``upstream`` what a registry has in its place.

    ``pulled`` says that it is taken from there. ``from_`` maps build arguments to images, ``contexts`` names
    to further folders. ``where`` is the place that says all this, for messages.
    """

    name: str
    where: str = ""
    bootstrap: str = ""
    context: Path | None = None
    target: str = ""
    from_: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, Path] = field(default_factory=dict)
    export: str = ""
    node_as: str = ""
    bundles: tuple[str, ...] = ()
    developed: bool = False
    upstream: Upstream | None = None
    pulled: bool = False

    @property
    def is_buildable(self) -> bool:
        """Whether it can be built; otherwise it can only be pulled."""
        return bool(self.bootstrap or self.context)


@dataclass(frozen=True)
class Catalog:
    """All images by name."""

    images: Mapping[str, Image]

    def __getitem__(self, name: str) -> Image:
        """An image. Raises ParityError IMAGE_UNKNOWN with those that there are."""
        if name not in self.images:
            raise ParityError("IMAGE_UNKNOWN", f"no image {name}; there are {', '.join(sorted(self.images))}")
        return self.images[name]

    def ordered(self, names: list[str]) -> list[Image]:
        """``names`` and all that they are built from, every image after its parents.

        Raises ParityError IMAGE_UNKNOWN, and IMAGE_CATALOG_INVALID for images that are built from each other.
        """
        done: dict[str, Image] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                circle = " -> ".join((*path[path.index(name) :], name))
                raise ParityError("IMAGE_CATALOG_INVALID", f"{self[name].where}: images that are built from each other: {circle}")
            if name in done:
                return
            image = self[name]
            for argument, parent in image.from_.items():
                if parent not in self.images:
                    known = ", ".join(sorted(self.images))
                    raise ParityError("IMAGE_UNKNOWN", f"{image.where}: from.{argument}: no image {parent}; there are {known}")
                visit(parent, (*path, name))
            done[name] = image

        for name in names:
            visit(name, ())
        return list(done.values())
