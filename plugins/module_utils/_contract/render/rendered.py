# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a rendering lies on disk, and that nobody's work there is overwritten.

The tree holds a record of its own digests. A file that is not what the record says
was edited by hand: the run stops and names it. A file that is gone is rendered again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import as_json
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose import Paths
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import Tree, read_tree, swap_tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import ensure_dir, writing

RECORD = ".rendered.json"
_NAMED = 6


def with_record(tree: Tree) -> Tree:
    """``tree`` and the digests of its files."""
    digests = {name: _digest(data) for name, data in tree.items()}
    return tree | {RECORD: as_json({"made_by": "gpuaas.parity.contract_render", "files": digests})}


@dataclass(frozen=True)
class Place:
    """A mode's rendered directory; ``<state_dir>/rendered`` is it, or leads to it."""

    state_dir: Path
    root: Path

    @classmethod
    def of(cls, state_dir: Path, rendered_dir: Path | None) -> Place:
        """Absolute paths; without ``rendered_dir`` the tree lies in the state directory.

        Raises ParityError RENDERED_NOT_OURS for a directory that holds the state directory.
        """
        state = state_dir.absolute()
        root = Path(os.path.normpath(rendered_dir.absolute())) if rendered_dir else state / "rendered"
        if state.resolve().is_relative_to(root.resolve()) and root != state / "rendered":
            raise ParityError("RENDERED_NOT_OURS", f"{root} holds the state directory {state}")
        return cls(state, root)

    @property
    def link(self) -> Path | None:
        """What leads to the tree from the state directory; None where it lies there."""
        link = self.state_dir / "rendered"
        return None if link == self.root else link

    def paths(self, checkout: Path) -> Paths:
        """Relative paths from the tree, the same on every machine that has all of it in a checkout."""
        state, root = (Path(os.path.relpath(path.absolute(), self.root)).as_posix() for path in (self.state_dir, checkout))
        return Paths(state, root)

    def current(self, after: Tree) -> Tree:
        """What lies there now.

        Raises ParityError: RENDERED_EDITED for files that ``after`` would overwrite
        or drop although they were not rendered, RENDERED_NOT_OURS for a directory that was
        never rendered.
        """
        if self.link is None and self.root.is_symlink():
            # It led to where this mode was rendered before.
            return {}
        if self.link and self.link.is_dir() and not self.link.is_symlink():
            _refuse_foreign(self.link, read_tree(self.link), {})
        if os.path.lexists(self.root) and (self.root.is_symlink() or not self.root.is_dir()):
            raise ParityError("RENDERED_NOT_OURS", f"{self.root} is not a directory")
        before = read_tree(self.root)
        _refuse_foreign(self.root, before, after)
        return before

    def lane(self) -> str | None:
        """The lane of what lies there; None where nothing was rendered since the last ``down``, or nobody can tell."""
        return self._said("lane")

    def asked_security(self) -> str | None:
        """The security mode that was asked for; None where it is the mode file's own, and where ``lane`` is None."""
        return self._said("asked_security")

    def _said(self, key: str) -> str | None:
        try:
            found = json.loads((self.state_dir / "rendered" / "contract.json").read_bytes())[key]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return found if isinstance(found, str) else None

    def is_linked(self) -> bool:
        """Whether the state directory leads to the tree as it should."""
        return self.link is None or (self.link.is_symlink() and str(self.link.readlink()) == self._target())

    def write(self, tree: Tree) -> None:
        """Make the directory hold exactly ``tree``, and the link lead to it. Raises ParityError STATE_UNWRITABLE."""
        ensure_dir(self.state_dir)
        if read_tree(self.root) != tree:
            swap_tree(self.root, tree)
        if self.link and not self.is_linked():
            with writing(self.link):
                if self.link.is_dir() and not self.link.is_symlink():
                    shutil.rmtree(self.link)
                self.link.unlink(missing_ok=True)
                self.link.symlink_to(self._target())

    def _target(self) -> str:
        return Path(os.path.relpath(self.root, self.state_dir)).as_posix()


def _refuse_foreign(root: Path, before: Tree, after: Tree) -> None:
    recorded = _recorded(before.get(RECORD))
    foreign = sorted(
        name for name, data in before.items() if name != RECORD and after.get(name) != data and (recorded or {}).get(name) != _digest(data)
    )
    if not foreign:
        return
    if recorded is None:
        seen = f"{root} holds files and no {RECORD} that can be read: {_some(foreign)}"
        raise ParityError("RENDERED_NOT_OURS", seen, details={"files": foreign})
    edited = [name for name in foreign if name in recorded]
    added = [name for name in foreign if name not in recorded]
    told = [f"{word} by hand: {_some(names)}" for word, names in (("edited", edited), ("added", added)) if names]
    paths = [root / name for name in foreign]
    remove = f"rm -r {shlex.quote(str(root))}" if len(paths) > _NAMED else f"rm {' '.join(shlex.quote(str(path)) for path in paths)}"
    raise ParityError(
        "RENDERED_EDITED",
        f"{root}: {'; '.join(told)}",
        f"move the change to the component's folder in platform/, then {remove}, then run the same command again",
        {"edited": edited, "added": added},
    )


def _recorded(data: bytes | None) -> dict[str, str] | None:
    """The digests of a record; None where there is none that can be read."""
    try:
        files = json.loads(data or b"")["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
