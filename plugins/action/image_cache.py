# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.image_cache."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._images import caches
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Note
from ansible_collections.gpuaas.parity.plugins.module_utils._status.machine import standing
from ansible_collections.gpuaas.parity.plugins.modules.image_cache import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Remove images and build cache that nobody needs."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        docker, cache = Docker(), Path(params["cache"]).expanduser()
        if params["state"] == "current":
            return self._current(docker, cache, params["days"])
        before = caches.look(docker, cache)
        platforms = [Path(found.state_dir) for found in standing(docker)]
        removed = [] if self.check_mode else caches.remove_all(docker, cache, platforms)
        after = before if self.check_mode else caches.look(docker, cache)
        lines = ["held:", *(f"  {line}" for line in before.lines())]
        if not self.check_mode:
            lines += ["left:", *(f"  {line}" for line in after.lines())]
        document = {"removed": removed, "before": before.lines(), "after": after.lines()}
        return {
            "changed": before != after,
            "removed": removed,
            "held": after.lines(),
            "_parity_answer": {"lines": lines, "document": document},
        }

    def _current(self, docker: Docker, cache: Path, days: float) -> dict[str, Any]:
        now = time.time()
        if days <= 0 or self.check_mode or not caches.is_due(cache, now):
            return {"changed": False, "removed": [], "held": []}
        removed = caches.remove_outdated(docker, cache, days, now)
        if removed:
            self.emit(Note(f"removed {len(removed)} images that no run has wanted for {days:g} days (-e images_keep_days=0 prevents it)"))
        return {"changed": bool(removed), "removed": removed, "held": caches.look(docker, cache).lines()}
