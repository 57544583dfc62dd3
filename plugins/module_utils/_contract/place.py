# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where platforms lie. Every step of a run asks, so nothing is read here and little imported."""

from __future__ import annotations

from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[3] / "platform"
"""The platform that the collection carries; its folder holds the schemas of every platform's files."""

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
