# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the images of a run are, for the steps after: a file of the run's own directory."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import ensure_dir, write_if_changed


@dataclass(frozen=True)
class Supplied:
    """The content key of each image of the lane; where there is a cluster, also what it is made of.

    ``node_image`` is a reference, ``node_key`` the key of the part of it that a running cluster cannot take up,
    ``default_cni`` says that kind installs its own network, ``kind`` is the path of the kind program.
    """

    image_keys: dict[str, str]
    node_image: str = ""
    node_key: str = ""
    default_cni: bool = False
    kind: str = ""

    def write(self, path: Path) -> None:
        """Write it to ``path``. Raises ParityError STATE_UNWRITABLE."""
        ensure_dir(path.parent)
        write_if_changed(path, (json.dumps(asdict(self), indent=2, sort_keys=True) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> Supplied:
        """What ``path`` holds. Raises ParityError IMAGES_NOT_SUPPLIED."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            said = error.strerror if isinstance(error, OSError) else "is not what the image step writes"
            raise ParityError("IMAGES_NOT_SUPPLIED", f"{path}: {said}") from None


def file_of(state_dir: Path) -> Path:
    """Where a run keeps it."""
    return state_dir / "images" / "supply.json"
