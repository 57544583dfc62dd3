# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the secrets of a run in line with the contract, without ever losing one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import ensure_dir, sweep, write_if_changed
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import delivered, graph, store, tiers
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.entries import closed


@dataclass(frozen=True)
class Place:
    """Where the secrets of a state directory lie."""

    state_dir: Path

    @property
    def root(self) -> Path:
        return self.state_dir / "secrets"

    @property
    def file(self) -> Path:
        return self.root / "secrets.yml"

    @property
    def files(self) -> Path:
        return self.root / "files"


@dataclass(frozen=True)
class Origin:
    """Where values come from: the tier and, in tier ci, the file with the seed."""

    tier: str
    seed_file: Path | None = None


@dataclass(frozen=True)
class Kept:
    """What was done, by name; values are in the files only."""

    changed: bool
    generated: list[str]
    removed: list[str]
    file: Path
    files: list[str]


def keep(
    contract: dict[str, Any],
    state_dir: Path,
    origin: Origin,
    *,
    cluster_exists: bool,
    dry: bool,
) -> Kept:
    """Give every secret a value as its tier does, check what is there, deliver a file for each service's secret.

    No value is replaced: a file that is not as it must be is refused. With ``dry`` nothing is written.

    Raises ParityError: SECRETS_MISSING, SECRETS_UNREADABLE, SECRETS_PERMISSIONS,
    SECRETS_CORRUPT, SECRETS_INVALID, SECRETS_INCOMPLETE, SECRETS_DIFFER,
    SECRETS_TIER_CHANGED, SEED_MISSING, SEED_PERMISSIONS, SEED_WEAK, CONTRACT_INVALID,
    CONTRACT_REFERENCE, CONTRACT_CYCLE, STATE_UNWRITABLE.
    """
    place = Place(state_dir)
    wanted: graph.Wanted = contract["secrets"]
    graph.refuse(wanted)
    names = delivered.names_of(contract)
    found = store.load(place.file)
    if found is None and cluster_exists:
        raise ParityError("SECRETS_MISSING", f"{place.file} does not exist")
    if found is not None:
        tiers.check_same(state_dir, origin.tier)
    before: dict[str, Any] = found or {}
    known = store.examine(before, wanted)
    store.refuse(place.file, known.wrong)
    values = tiers.complete(origin.tier, place.file, known.values, wanted, origin.seed_file)
    after = closed(values, wanted, before)
    store.refuse(place.file, store.examine(after, wanted).wrong)
    delivered.check_private(place.files, names)

    changed = [ensure_dir(directory, dry=dry) for directory in (state_dir, place.root)]
    if not dry:
        sweep(place.root)
    # Before the secrets: a run that ends in between leaves no secrets of an unknown tier.
    changed.append(tiers.record(state_dir, origin.tier, dry=dry))
    if found is None or after != before:
        changed.append(write_if_changed(place.file, store.encode(after), dry=dry))
    texts = delivered.texts_of(contract, names, values)
    removed = delivered.remove_stale(place.files, texts, dry=dry)
    changed.append(delivered.write(place.files, texts, dry=dry))
    return Kept(
        any(changed) or bool(removed),
        sorted(set(values) - set(known.values)),
        removed,
        place.file,
        [str(place.files / name) for name in sorted(texts)],
    )
