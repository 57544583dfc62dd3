# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tiers of an environment: where the values of its secrets come from.

A tier is said, never inferred. It is recorded beside the secrets, outside of
their directory: every word in there counts as a secret to be masked.
"""

from __future__ import annotations

from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_if_changed
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.derivation import derive, with_derived
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.graph import Wanted
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.private import read_private
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.seed import read_seed
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types import table

LOCAL, CI, STAGING = "local", "ci", "staging"
TIERS = (LOCAL, CI, STAGING)


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
    """``found`` with a value for every wanted name: as the tier gives it, or derived. Nothing in ``found`` is replaced.

    Raises ParityError: in tier ci SEED_MISSING, SEED_PERMISSIONS, SEED_WEAK and SECRETS_DIFFER;
    in tier staging SECRETS_INCOMPLETE.
    """
    own = {name: secret for name, secret in wanted.items() if "derived_from" not in secret}
    missing = sorted(set(own) - set(found))
    if tier == LOCAL:
        return with_derived(found | {name: table.make(own[name]["type"]) for name in missing}, wanted)
    if tier == CI:
        return with_derived(_seeded(file, found, own, seed_file), wanted)
    if missing:
        seen = f"{file} has no value for {', '.join(missing)}, and tier staging generates none"
        do = f'(umask 077; mkdir -p {file.parent}; "$EDITOR" {file})   # one line each, name: value'
        raise ParityError("SECRETS_INCOMPLETE", seen, do, details={"names": missing})
    return with_derived(found, wanted)


def _seeded(file: Path, found: dict[str, str], own: Wanted, seed_file: Path | None) -> dict[str, str]:
    seed = read_seed(seed_file)
    values = {name: derive(seed, name, secret["type"]) for name, secret in own.items()}
    if other := sorted(name for name in values if found.get(name, values[name]) != values[name]):
        seen = f"{file}: {', '.join(other)} {'is' if len(other) == 1 else 'are'} not what the seed gives"
        raise ParityError("SECRETS_DIFFER", seen, details={"names": other})
    return values
