# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tiers of an environment: where the values of its secrets come from.

A tier is said, never inferred. It is recorded beside the secrets, outside of
their directory: every word in there counts as a secret to be masked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_if_changed
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import types
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.private import read_private
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.seed import derive, read_seed

LOCAL, CI, STAGING = "local", "ci", "staging"
TIERS = (LOCAL, CI, STAGING)

Wanted = dict[str, dict[str, Any]]


def record_of(state_dir: Path) -> Path:
    """Where the tier of the secrets in ``state_dir`` is written down."""
    return state_dir / "secrets-tier"


def check_same(state_dir: Path, tier: str) -> None:
    """Refuse to treat secrets that were made for one tier as those of another.

    Secrets without a record, of an older version, take the tier that is asked for.
    Raises ParityError: SECRETS_TIER_CHANGED, SECRETS_CORRUPT, and those of ``read_private``.
    """
    file = record_of(state_dir)
    data = read_private(file)
    if data is None:
        return
    made_for = data.decode(errors="replace").strip()
    if made_for not in TIERS:
        raise ParityError("SECRETS_CORRUPT", f"{file} must hold one of {', '.join(TIERS)}")
    if made_for != tier:
        raise ParityError("SECRETS_TIER_CHANGED", f"the secrets of {state_dir} are of tier {made_for}, this run is of tier {tier}")


def record(state_dir: Path, tier: str, *, dry: bool) -> bool:
    """Write the tier down; say whether that was a change. Raises ParityError STATE_UNWRITABLE."""
    return write_if_changed(record_of(state_dir), f"{tier}\n".encode(), dry=dry)


def complete(tier: str, file: Path, found: dict[str, str], wanted: Wanted, seed_file: Path | None) -> dict[str, str]:
    """``found`` with a value for every wanted name, as the tier gives it. Nothing in ``found`` is replaced.

    Raises ParityError: in tier ci SEED_MISSING, SEED_PERMISSIONS, SEED_WEAK and SECRETS_DIFFER;
    in tier staging SECRETS_INCOMPLETE.
    """
    missing = sorted(set(wanted) - set(found))
    if tier == LOCAL:
        return found | {name: types.make(wanted[name]["type"]) for name in missing}
    if tier == CI:
        return _derived(file, found, wanted, seed_file)
    if missing:
        seen = f"{file} has no value for {', '.join(missing)}, and tier staging generates none"
        do = f'(umask 077; mkdir -p {file.parent}; "$EDITOR" {file})   # one line each, name: value'
        raise ParityError("SECRETS_INCOMPLETE", seen, do, details={"names": missing})
    return found


def _derived(file: Path, found: dict[str, str], wanted: Wanted, seed_file: Path | None) -> dict[str, str]:
    seed = read_seed(seed_file)
    values = {name: derive(seed, name, secret["type"]) for name, secret in wanted.items()}
    if other := sorted(name for name in found if found[name] != values[name]):
        seen = f"{file}: {', '.join(other)} {'is' if len(other) == 1 else 'are'} not what the seed gives"
        raise ParityError("SECRETS_DIFFER", seen, details={"names": other})
    return values
