# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare two modes by meaning, on the controller."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import differences, document, refuse_meaning, table
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.options import chosen, of_source, switched
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.modules.contract_diff_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """gpuaas.parity.contract_diff_info"""

    DOCUMENTATION = DOCUMENTATION
    _nothing_found: Mapping[str, Any] = {"changed": False}

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        platform = load_platform(Path(params["platform"]))
        about, contract = (params["a"], params["b"]), platform.contract
        wanted = switched(params["options"]) | of_source(contract.sources, params["source"])
        lane = chosen(contract.options, params["lane"] or contract.defaults["lane"], "", wanted)
        found = differences(platform, *about, lane, params["security"])
        told = document(found, *about, lane)
        width = shutil.get_terminal_size((120, 24)).columns
        answer = {"lines": table(found, *about, lane, width), "document": told}
        self._found |= {"differences": told["differences"], "counts": told["counts"], "_parity_answer": answer}
        refuse_meaning(found, *about)
        return {}
