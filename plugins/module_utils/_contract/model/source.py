# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that were read, and how their places are named in messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any, Protocol

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import dotted
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Document, Path


class Source(Protocol):
    """Data, and where each of its places is written."""

    @property
    def data(self) -> Any:
        """The document as plain data."""

    def where(self, *path: str | int) -> str:
        """``platform/platform.yml: lanes.core (line 12)``."""


@dataclass(frozen=True)
class File:
    """One file. ``label`` is its name in messages."""

    label: str
    document: Document

    @property
    def data(self) -> Any:
        return self.document.data

    def with_data(self, data: Any) -> File:
        """The same places with other data."""
        return replace(self, document=replace(self.document, data=data))

    def known(self, path: Path) -> int:
        """How many parts of ``path`` this file has."""
        while path and path not in self.document.lines:
            path = path[:-1]
        return len(path)

    def where(self, *path: str | int) -> str:
        line = self.document.lines.get(path[: self.known(path)], 1)
        return f"{self.label}: {dotted(path) or 'the document'} (line {line})"


@dataclass(frozen=True)
class Merged:
    """Files of one name from a platform and those that it extends, the extended one first.

    See ``merge`` for what a later file does to an earlier one.
    """

    files: Sequence[File]

    @cached_property
    def data(self) -> Any:
        return reduce(merge, (file.data for file in self.files))

    def where(self, *path: str | int) -> str:
        return max(reversed(self.files), key=lambda file: file.known(path)).where(*path)


@dataclass(frozen=True)
class Assembled:
    """One document out of many: each place is named in the file that it comes from.

    ``parts`` maps a path of the document to the source that holds it and its path there.
    """

    data: Any
    parts: Mapping[Path, tuple[Source, Path]]

    def where(self, *path: str | int) -> str:
        for end in range(len(path), -1, -1):
            if path[:end] in self.parts:
                source, inner = self.parts[path[:end]]
                return source.where(*inner, *path[end:])
        raise KeyError(path)


def merge(below: Any, above: Any) -> Any:
    """``above`` over ``below``: mappings key by key, where null takes a key away (RFC 7396), else ``above``.

    A null for what ``below`` does not have stays, for the schema to refuse: it is a slip of the pen.
    """
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    changed = {key: merge(below[key], value) if key in below else value for key, value in above.items()}
    gone = {key for key, value in above.items() if value is None and key in below}
    return {key: value for key, value in (below | changed).items() if key not in gone}
