# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folders that a platform consists of: those that it extends, then its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import read_file
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File, Merged, Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.place import REFERENCE
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

PLATFORM_FILE = "platform.yml"


def platform_folders(folder: Path) -> tuple[Path, ...]:
    """``folder`` and, before it, what it extends. Raises ParityError: PLATFORM_MISSING, PLATFORM_EXTENDS."""
    folder = folder.absolute().resolve()
    if not (folder / PLATFORM_FILE).is_file():
        raise ParityError("PLATFORM_MISSING", f"{folder} holds no {PLATFORM_FILE}")
    found: tuple[Path, ...] = (folder,)
    while below := _extended(found):
        found = (below, *found)
    return found


def _extended(folders: tuple[Path, ...]) -> Path | None:
    """The platform that the first of ``folders`` extends."""
    file = read_file(folders[0] / PLATFORM_FILE, folders[0])
    extends = file.data.get("extends") if isinstance(file.data, dict) else None
    if extends is None:
        return None
    where = file.where("extends")
    if not isinstance(extends, str) or not extends:
        raise ParityError("PLATFORM_EXTENDS", f"{where}: must be `reference` or the folder of another platform")
    below = REFERENCE if extends == "reference" else (folders[0] / extends).resolve()
    if not (below / PLATFORM_FILE).is_file():
        raise ParityError("PLATFORM_EXTENDS", f"{where}: {below} holds no {PLATFORM_FILE}")
    if below in folders:
        circle = " -> ".join(str(path) for path in (*reversed(folders[: folders.index(below) + 1]), below))
        raise ParityError("PLATFORM_EXTENDS", f"{where}: platforms that extend each other, {circle}")
    return below


def merged(folders: Sequence[Path], name: str, *, invalid: str = "CONTRACT_INVALID") -> Source | None:
    """A file that each of the folders may have, merged; None where none has it. Raises ParityError as ``read_file``."""
    files = files_of(folders, name, invalid=invalid)
    return Merged([*files.values()]) if files else None


def files_of(folders: Sequence[Path], name: str, *, invalid: str = "CONTRACT_INVALID") -> dict[Path, File]:
    """A file of each of the folders that has it, by folder, in their order. Raises ParityError as ``read_file``."""
    return {folder: read_file(folder / name, folder, invalid=invalid) for folder in folders if (folder / name).exists()}


def mode_names(folders: Sequence[Path]) -> list[str]:
    """The modes that there is a file for, sorted."""
    return sorted({file.stem for folder in folders for file in (folder / "modes").glob("*.yml")})
