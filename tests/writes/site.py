"""The platform as the checks see it, to log in with what it holds now."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import Site
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract


def site_of(state_dir: Path) -> Site:
    """That of a run's directory, read now: a rotation may have replaced its secrets. A Compose project has no kubeconfig."""
    kubeconfig = state_dir / "kubeconfig"
    return Site(read_contract(state_dir), state_dir, kubeconfig if kubeconfig.exists() else None)
