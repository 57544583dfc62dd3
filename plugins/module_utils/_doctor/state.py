# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a mode's own folder stops it: the folder, a run at work, secrets, the CA. Secrets are told by name alone."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.model import Condition, Place
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.lock import RunLock
from ansible_collections.gpuaas.parity.plugins.module_utils._run.state_dir import check_state_dir
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import delivered, keep, tiers
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.keep import keep as keep_tls

# What each local mode leaves once it has data: the cluster's record, or what compose knows of this machine.
_DATA = ("cluster.json", "machine.yml")


def check_state(place: Place, condition: Condition, now: datetime.datetime) -> None:
    """Look at a mode's state directory; the condition gets what is refused."""
    state_dir = place.state_dir(condition.mode)
    condition.look(lambda: _idle(state_dir))
    if not _is_ours(state_dir, condition) or condition.contract is None:
        return
    contract = condition.contract
    condition.look(lambda: _secrets(state_dir, contract))
    if (state_dir / "tls").exists():
        condition.look(lambda: _certificates(condition, contract, state_dir, now))


def _idle(state_dir: Path) -> None:
    """Raise ``RUN_IN_PROGRESS`` while a run of the mode is at work."""
    RunLock(state_dir).refuse_while_held()


def _is_ours(state_dir: Path, condition: Condition) -> bool:
    try:
        return check_state_dir(state_dir)
    except ParityError as error:
        condition.add(error)
        return False


def _secrets(state_dir: Path, contract: dict[str, Any]) -> None:
    has_data = any((state_dir / name).exists() for name in _DATA)
    if not has_data and not (state_dir / "secrets").exists():
        return
    try:
        origin = keep.Origin(_tier(state_dir))
        keep.keep(contract, state_dir, origin, cluster_exists=has_data, dry=True)
    except ParityError as error:
        # A seed is given to a run and kept nowhere, so what follows from it cannot be compared here.
        if error.reason != "SEED_MISSING":
            raise
        delivered.check_private(state_dir / "secrets" / "files", delivered.names_of(contract))


def _tier(state_dir: Path) -> str:
    """The tier that the secrets were made for; what cannot be read is judged where it is used."""
    try:
        recorded = tiers.record_of(state_dir).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return tiers.LOCAL
    return recorded if recorded in tiers.TIERS else tiers.LOCAL


def _certificates(condition: Condition, contract: dict[str, Any], state_dir: Path, now: datetime.datetime) -> None:
    """Note what `up` would issue again, and why: what ends soon serves until then."""
    for name, cause in sorted(keep_tls(contract, state_dir, now, dry=True).issued.items()):
        what = "the CA" if name == "ca" else f"certificate {name}"
        condition.notes.append(f"{what}: {cause}; up issues it again")
