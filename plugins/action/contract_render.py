# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the contract for a mode and a lane, on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.options import chosen, of_source, switched
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform, load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.rendered import Place, with_record
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import diff_trees
from ansible_collections.gpuaas.parity.plugins.module_utils._run import state
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import run_pid
from ansible_collections.gpuaas.parity.plugins.modules.contract_render import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """gpuaas.parity.contract_render"""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        platform = load_platform(Path(params["platform"]))
        several = bool(params["state_root"])
        if not several and not params["state_dir"]:
            raise AnsibleActionFail("contract_render wants state_dir, or state_root")
        names = dict.fromkeys(params["modes"] or platform.mode_names) if several else [params["mode"]]
        wanted = []
        for name in names:
            state_dir = Path(params["state_root"], name) if several else Path(params["state_dir"])
            # Once asked for, it stays until another one is: who repeats `up` without a word gets no weaker one.
            mode = platform.mode(name, params["instance"], params["security"] or Place.of(state_dir, None).asked_security() or "")
            rendered_dir = params["rendered_dir"] if not several else params["compose_dir"] if mode.target == "compose" else None
            wanted.append((mode, state_dir, rendered_dir))
        # All of it is judged before any of it is written.
        done, writes = {}, []
        for mode, state_dir, rendered_dir in wanted:
            place = Place.of(state_dir, Path(rendered_dir) if rendered_dir else None)
            rendering = render_mode(platform, mode, _lane(platform, place, params), place.paths(platform.folder.parent))
            if several:
                state.hold(place.state_dir, pid=run_pid(), verb="render", create=True, check_mode=self.check_mode)
            tree = with_record(rendering.tree)
            before = place.current(tree)
            changed = before != tree or not place.is_linked()
            writes += [(place, tree)] if changed else []
            done[mode.name] = {"changed": changed, "contract": rendering.contract, "rendered": str(place.root), "files": sorted(tree)}
            if self.diff_mode:
                done[mode.name]["diff"] = {"prepared": diff_trees(before, tree)}
        for place, tree in [] if self.check_mode else writes:
            place.write(tree)
        if not several:
            return done[params["mode"]]
        document = {mode: {"changed": one["changed"], "rendered": one["rendered"], "files": one["files"]} for mode, one in done.items()}
        answer = {"lines": _lines(done), "document": document}
        result: dict[str, Any] = {"changed": bool(writes), "renderings": done, "_parity_answer": answer}
        if self.diff_mode:
            result["diff"] = [one.pop("diff") for one in done.values()]
        return result


def _lane(platform: Platform, place: Place, params: dict[str, Any]) -> str:
    """What is not said is as it stands, so that whoever brought up a lane, or an option, need not repeat it; else the default."""
    contract = platform.contract
    known = place.lane()
    standing = known if known in contract.lanes else contract.defaults["lane"]
    wanted = switched(params["options"]) | of_source(contract.sources, params["source"])
    return chosen(contract.options, params["lane"] or standing, standing, wanted)


def _lines(done: dict[str, dict[str, Any]]) -> list[str]:
    """One line for each mode: where it is, and whether that is new."""
    modes, places = (max(map(len, column)) for column in (done, [one["rendered"] for one in done.values()]))
    return [
        f"{mode:<{modes}}  {one['rendered']:<{places}}  {len(one['files'])} files{'' if one['changed'] else ', unchanged'}"
        for mode, one in done.items()
    ]
