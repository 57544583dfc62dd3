# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Compose made of each service at the last start, to know a container that somebody made otherwise since.

Such a container bears our own label all the same: whoever adds a file of their own to ours
(`docker compose -f compose.yml -f mine.yml up`) keeps it. Compose writes a digest of the
definition on each container (label ``com.docker.compose.config-hash``), which cannot be had
from it beforehand: asked for it, it leaves env files out.
"""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Object, Project, service_of
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_if_changed

FILE = "started.json"
_HASH_LABEL = "com.docker.compose.config-hash"


def remember(project: Project, state_dir: Path, *, dry: bool) -> bool:
    """Write down what runs now; whether it is another than was written. Raises ParityError STATE_UNWRITABLE."""
    text = json.dumps(_hashes(project.containers()), indent=2, sort_keys=True) + "\n"
    return write_if_changed(state_dir / FILE, text.encode(), dry=dry)


def is_as_started(containers: list[Object], state_dir: Path) -> bool:
    """Whether every container has the definition of the last start. Where nobody wrote it down, nobody knows."""
    try:
        known = json.loads((state_dir / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(known == _hashes(containers))


def _hashes(containers: list[Object]) -> dict[str, str]:
    return {service_of(item): str(((item.get("Config") or {}).get("Labels") or {}).get(_HASH_LABEL) or "") for item in containers}
