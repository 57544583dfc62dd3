# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a local CA and a certificate for each endpoint, on the controller."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolved import load_resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.keep import keep
from ansible_collections.gpuaas.parity.plugins.modules.local_ca import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """gpuaas.parity.local_ca"""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC).replace(microsecond=0)
        kept = keep(load_resolved(params["contract"]), Path(params["state_dir"]), now, dry=self.check_mode)
        return {
            "changed": kept.changed,
            "ca_file": str(kept.ca_file),
            "fingerprint": kept.fingerprint,
            "not_after": kept.not_after.strftime("%Y-%m-%dT%H:%M:%SZ") if kept.not_after else None,
            "issued": sorted(kept.issued),
            "causes": kept.issued,
            "removed": kept.removed,
        }
