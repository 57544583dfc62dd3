# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.host_undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host import record
from ansible_collections.gpuaas.parity.plugins.module_utils._host.facts import privilege
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._host.undo import perform, plan_undo, refuse_while_used
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Note
from ansible_collections.gpuaas.parity.plugins.modules.host_undo import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction

_NOTHING: dict[str, Any] = {"changed": False, "steps": [], "stays": []}


class ActionModule(ParityAction):
    """Show what was changed on this machine, and undo it."""

    DOCUMENTATION = DOCUMENTATION
    _nothing_found = _NOTHING

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        system, path = System(), Path(params["path"])
        recorded = record.read(path)
        if not recorded:
            return {"_parity_answer": {"lines": ["nothing of this machine was changed"], "document": self._found}}
        may = privilege(system)
        refuse_while_used(system, recorded, may)
        undo = plan_undo(system, recorded)
        found = {"steps": [step.as_dict() for step in undo.steps], "stays": list(undo.stays)}
        self._found |= {**found, "_parity_answer": {"lines": undo.lines(), "document": found}}
        if self.check_mode:
            return {"changed": True}
        if not params["confirmed"]:
            raise ParityError("HOST_UNDO_UNCONFIRMED", "nothing was changed: what is shown above waits for a yes")
        if may == "none" and undo.steps:
            raise ParityError("HOST_PRIVILEGE_MISSING", "this user is neither root nor has sudo without a password")
        for step in undo.steps:
            self.emit(Note(step.text))
            perform(system, step, may)
        path.unlink(missing_ok=True)
        return {"changed": True}
