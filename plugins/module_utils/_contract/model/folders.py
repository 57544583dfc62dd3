# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folders that a platform consists of: those that it extends, then its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import REFERENCE, read_file
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File, Source, together
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

PLATFORM_FILE = "platform.yml"
# What ansible-galaxy puts into a collection that it builds.
_MANIFEST = "MANIFEST.json"


def place_of(platform: str, working_directory: Path) -> tuple[Path, Path]:
    """The folder of a platform, ``reference`` being the collection's, and the project that it belongs to.

    The project is the folder that holds it: a checkout, or a team's own. Beside what is installed nothing is kept:
    its project is the working directory.
    """
    folder = REFERENCE if platform == "reference" else (working_directory / platform).resolve()
    installed = folder == REFERENCE and (folder.parent / _MANIFEST).is_file()
    return folder, working_directory if installed else folder.parent


def platform_folders(folder: Path) -> tuple[Path, ...]:
    """``folder`` and, before it, what it extends. Raises ParityError: PLATFORM_MISSING, PLATFORM_EXTENDS."""
    return _folders(folder.absolute().resolve(), ())


def _folders(folder: Path, trail: tuple[Path, ...]) -> tuple[Path, ...]:
    if folder in trail:
        circle = " -> ".join(str(path) for path in (*trail[trail.index(folder) :], folder))
        raise ParityError("PLATFORM_EXTENDS", f"platforms that extend each other: {circle}")
    if not (folder / PLATFORM_FILE).is_file():
        raise ParityError("PLATFORM_MISSING", f"{folder} holds no {PLATFORM_FILE}")
    file = read_file(folder / PLATFORM_FILE, folder)
    extends = file.data.get("extends") if isinstance(file.data, dict) else None
    if extends is None:
        return (folder,)
    if not isinstance(extends, str):
        raise ParityError("PLATFORM_EXTENDS", f"{file.where('extends')}: must be `reference` or a folder")
    below = REFERENCE if extends == "reference" else (folder / extends).resolve()
    if not (below / PLATFORM_FILE).is_file():
        raise ParityError("PLATFORM_EXTENDS", f"{file.where('extends')}: {below} holds no {PLATFORM_FILE}")
    return (*_folders(below, (*trail, folder)), folder)


def merged(folders: Sequence[Path], name: str, *, invalid: str = "CONTRACT_INVALID") -> Source | None:
    """A file that each of the folders may have, merged; None where none has it. Raises ParityError as ``read_file``."""
    files = [read_file(folder / name, folder, invalid=invalid) for folder in folders if (folder / name).exists()]
    return together(files) if files else None


def mode_files(folders: Sequence[Path], name: str) -> list[File]:
    """The files of a mode, those of extended platforms first."""
    paths = [(folder / "modes" / f"{name}.yml", folder) for folder in folders]
    return [read_file(path, folder, invalid="MODE_INVALID") for path, folder in paths if path.exists()]


def mode_names(folders: Sequence[Path]) -> list[str]:
    """The modes that there is a file for, sorted."""
    return sorted({file.stem for folder in folders for file in (folder / "modes").glob("*.yml")})
