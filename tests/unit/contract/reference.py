"""The reference platform of this checkout: what a test of the whole runs over."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import REFERENCE
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform

PLATFORM = load_platform(REFERENCE)
LANES = tuple(PLATFORM.contract.lanes)
MODES = tuple(PLATFORM.mode_names)
