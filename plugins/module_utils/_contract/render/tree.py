# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory that is replaced as a whole, and only when its bytes differ."""

from __future__ import annotations

import difflib
import os
import secrets
import shutil
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import PRIVATE_DIR, ensure_dir, writing

Tree = dict[str, bytes]


def read_tree(root: Path) -> Tree:
    """Every file below ``root`` by relative path; nothing where there is no directory.

    A link or device counts as a file of foreign bytes, so that it never equals a rendering.
    """
    tree: Tree = {}
    if root.is_symlink() or not root.is_dir():
        return tree
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            tree[name] = f"link to {path.readlink()}\n".encode()
        elif path.is_file():
            with writing(path):
                tree[name] = path.read_bytes()
        elif not path.is_dir():
            tree[name] = b"not a file\n"
    return tree


def swap_tree(root: Path, tree: Tree) -> None:
    """Make ``root`` hold exactly ``tree``: built beside it, then renamed into place.

    A crash leaves the old tree, the new one, or none; never a mixture. Raises
    ParityError STATE_UNWRITABLE.
    """
    if not root.parent.is_dir():
        ensure_dir(root.parent)
    token = secrets.token_hex(4)
    fresh, stale = (root.with_name(f".{root.name}.{token}.{kind}") for kind in ("new", "old"))
    with writing(root):
        for left in root.parent.glob(f".{root.name}.*.*"):
            shutil.rmtree(left)
        try:
            for name, data in tree.items():
                path = fresh / name
                path.parent.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(data)
            _private(fresh)
            if root.is_symlink() or root.is_file():
                root.unlink()
            elif root.exists():
                root.rename(stale)
            fresh.rename(root)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(stale, ignore_errors=True)


def diff_trees(before: Tree, after: Tree) -> str:
    """A unified diff of every file that differs."""
    parts = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old != new:
            texts = [(data or b"").decode(errors="replace").splitlines(keepends=True) for data in (old, new)]
            from_name = f"a/{name}" if old is not None else "/dev/null"
            to_name = f"b/{name}" if new is not None else "/dev/null"
            lines = difflib.unified_diff(texts[0], texts[1], from_name, to_name)
            parts += [line if line.endswith("\n") else f"{line}\n" for line in lines]
    return "".join(parts)


def _private(root: Path) -> None:
    """Directories of the tree are their owner's, whatever the umask."""
    for path in (root, *(path for path in root.rglob("*") if path.is_dir())):
        path.chmod(PRIVATE_DIR)
