# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove everything of a project, from whatever state it is in, and prove that nothing is left."""

from __future__ import annotations

import shutil
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.ours import KINDS, require_ours, things
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.rendered import RECORD
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.state_dir import remove_if_empty

_SECONDS = 180.0


def remove(docker: Docker, project: str, state_dir: Path, rendered: Path, *, dry: bool) -> list[str]:
    """Containers, then networks and volumes, by label, so that no file of the project is needed; then the rendering.

    Its data goes with it, so nothing is stopped gracefully. Returns what was there.
    Raises ParityError LOCAL_DEV_NOT_OURS or LOCAL_DEV_MOVED before anything is
    removed, LOCAL_DEV_RESIDUE naming what is left.
    """
    found = things(docker, project)
    require_ours(found, project, state_dir)
    # What nobody rendered is not ours to remove.
    folders = [rendered] if (rendered / RECORD).is_file() else []
    there = [*map(str, found), *map(str, folders)]
    if dry or not there:
        return there
    for kind in KINDS:
        names = [thing.name for thing in found if thing.kind == kind]
        if names:
            flags = ["--force", "--volumes"] if kind == "container" else []
            # What fails to go is what is still there below.
            docker.call(kind, "rm", *flags, *names, timeout=_SECONDS, check=False)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        # deploy/local, or deploy/instances/<name>; what holds deploy is never empty.
        for parent in folder.parents:
            if not remove_if_empty(parent):
                break
    left = [*map(str, things(docker, project)), *(str(folder) for folder in folders if folder.exists())]
    if left:
        raise ParityError("LOCAL_DEV_RESIDUE", f"still there after it was removed: {', '.join(left[:5])}", details={"residue": left})
    return there
