# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's modules from Python's bytecode cache.

Ansible's importer compiles every module of a collection from its source, at every run
(``get_code`` of ansible-core's ``_collection_finder.py``): a third of a second for the
hundred modules of this one. Asked first, and for this collection alone, Python's own
finder compiles a module once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_PLUGINS = "ansible_collections.gpuaas.parity.plugins."


class _Finder:
    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path, target) if path and name.startswith(_PLUGINS) else None


def keep() -> None:
    """Import the collection's further modules through Python's own finder; calling it twice changes nothing."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
