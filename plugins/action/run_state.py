# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.run_state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.head import RECORD, known_head
from ansible_collections.gpuaas.parity.plugins.module_utils._run import state
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path, write_json
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import run_pid
from ansible_collections.gpuaas.parity.plugins.module_utils._run.verbs import refuse_verb
from ansible_collections.gpuaas.parity.plugins.modules.run_state import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Lock, make and remove a state directory."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        directory = own_path(params["state_dir"])
        head = known_head(Path(params["platform"]), params["mode"], params["instance"], directory)
        refuse_verb(head, params["verb"])
        # The worker ends with this task.
        run = run_pid()
        if params["state"] == "locked":
            wanted = {name: params[name] for name in ("verb", "create", "required")}
            done = state.hold(directory, pid=run, check_mode=self.check_mode, **wanted)
            if done.after and not self.check_mode:
                write_json(directory / RECORD, head.as_dict() | {"platform": params["platform"]})
        elif params["state"] == "allowed":
            done = state.look(directory)
        elif params["state"] == "unlocked":
            done = state.let_go(directory, pid=run, check_mode=self.check_mode)
        else:
            done = state.remove(directory, pid=run, verb=params["verb"], check_mode=self.check_mode)
        result: dict[str, Any] = {
            "changed": done.changed,
            "state_dir": str(directory),
            "exists": done.after,
            "lock": str(done.lock),
            # Every later step asks for it; none has to read the mode's file again.
            "ansible_facts": {"parity_head": head.as_dict()},
        }
        if params["state"] == "locked" and done.after and not self.check_mode:
            # The run holds the directory from here on: its events go there.
            result["_parity_run_dir"] = str(directory)
        if self.diff_mode:
            word = {True: "present\n", False: "absent\n"}
            result["diff"] = {
                "before_header": str(directory),
                "after_header": str(directory),
                "before": word[done.before],
                "after": word[done.after],
            }
        return result
