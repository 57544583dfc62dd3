# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's modules from Python's bytecode cache.

Ansible's importer compiles every module of a collection from its source, at every run
(``get_code`` of ansible-core's ``_collection_finder.py``): a quarter of a second for the
two hundred modules of this one. Asked first, and for this collection alone, Python's own
finder of files compiles a module once. Not through Python's path finder: for directories
of collections that one asks Ansible's importer again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType

_PLUGINS = "ansible_collections.gpuaas.parity.plugins."


@cache
def _files_of(directory: str) -> FileFinder:
    return FileFinder(directory, (SourceFileLoader, SOURCE_SUFFIXES))


class _Finder:
    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """A module that is a file, or a package with one; others are Ansible's to make up."""
        if not path or not name.startswith(_PLUGINS):
            return None
        spec = _files_of(path[0]).find_spec(name, target)
        return spec if spec and spec.loader else None


def keep() -> None:
    """Import the collection's further modules through Python's own finder; calling it twice changes nothing."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
