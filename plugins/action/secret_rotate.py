# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace one secret of a run, on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolved import load_resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Note
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.rotate import rotate
from ansible_collections.gpuaas.parity.plugins.modules.secret_rotate import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """gpuaas.parity.secret_rotate"""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["name"]
        done = rotate(
            load_resolved(params["contract"]),
            Path(params["state_dir"]),
            name,
            tier=params["tier"],
            value_file=Path(params["value_file"]) if params["value_file"] else None,
            dry=self.check_mode,
        )
        if done.replaced:
            will = "would be" if self.check_mode else "is"
            derived = f", and with it {', '.join(done.derived)}" if done.derived else ""
            self.emit(Note(f"{name} {will} replaced{derived}; it is read by {', '.join(done.readers) or 'nobody'}"))
        result: dict[str, Any] = {
            "changed": done.changed,
            "replaced": done.replaced,
            "derived": done.derived,
            "readers": done.readers,
            "file": str(done.file),
            "files": done.files,
        }
        if self.diff_mode:
            result["diff"] = {
                "before_header": str(done.file),
                "after_header": str(done.file),
                "before": f"{name}: (current)\n",
                "after": f"{name}: ({'new' if done.replaced else 'current'})\n",
            }
        return result
