# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace one secret by a new value.

In the order of the writes: the old value is written down, secrets.yml gets the
new one, the derived files follow. An end after any of them leaves the old
secrets or the new ones, and in the latter case the next run derives the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import ensure_dir, sweep, write_if_changed
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import derived, previous, store, tiers, types
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.keep import Place
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.private import Refusal, read_private


@dataclass(frozen=True)
class Rotated:
    """What was done, by name. ``replaced`` says whether the secret has a new value, ``changed`` whether any file does."""

    changed: bool
    replaced: bool
    readers: list[str]
    file: Path
    files: list[str]


def rotate(
    contract: dict[str, Any],
    schema: dict[str, Any],
    state_dir: Path,
    name: str,
    *,
    tier: str,
    value_file: Path | None,
    dry: bool,
) -> Rotated:
    """Give secret ``name`` the value in ``value_file`` or, in tier local without one, a random one.

    A value that the secret has already is no rotation: so a run that was
    interrupted can be repeated with the same file. With ``dry`` nothing is written.

    Raises ParityError: SECRET_UNKNOWN, SECRETS_DERIVED, SECRET_VALUE_MISSING,
    SECRETS_MISSING, SECRETS_TIER_CHANGED, SECRETS_UNREADABLE, SECRETS_PERMISSIONS,
    SECRETS_CORRUPT, SECRETS_INVALID, CONTRACT_INVALID, CONTRACT_REFERENCE,
    STATE_UNWRITABLE.
    """
    place = Place(state_dir)
    wanted: dict[str, dict[str, Any]] = contract["secrets"]
    if name not in wanted:
        # What was given is not repeated: it may be a value in the wrong place.
        raise ParityError("SECRET_UNKNOWN", f"no secret has the name that was given; known are: {', '.join(sorted(wanted))}")
    names = {file: secret for file, secret in derived.names_of(contract).items() if secret == name}
    found = store.read(place.file)
    if found is None:
        raise ParityError("SECRETS_MISSING", f"{place.file} does not exist", "bring the platform up first; there is nothing to rotate")
    tiers.check_same(state_dir, tier)
    others = {key: value for key, value in found.items() if key != name}
    store.check(place.file, others, wanted, schema)
    value = _new(name, wanted[name]["type"], tier, value_file)
    if value_file is not None:
        store.check(value_file, {name: value}, wanted, schema)

    old = found.get(name)
    replaced = value != old
    changed = [ensure_dir(place.root, dry=dry)]
    if not dry:
        sweep(place.root)
    if replaced:
        if isinstance(old, str) and not dry:
            previous.remember(previous.beside(place.file), name, old)
        changed.append(write_if_changed(place.file, store.encode(others | {name: value}), dry=dry))
    changed.append(derived.write(place.files, names, {name: value}, dry=dry))
    readers = sorted(wanted[name].get("readers", ()))
    return Rotated(any(changed), replaced, readers, place.file, [str(place.files / file) for file in sorted(names)])


def _new(name: str, type_: str, tier: str, value_file: Path | None) -> str:
    if tier == tiers.CI:
        raise ParityError("SECRETS_DERIVED", f"{name} follows from the seed, as every secret of tier ci")
    if value_file is None:
        if tier == tiers.LOCAL:
            return types.make(type_)
        raise ParityError("SECRET_VALUE_MISSING", f"tier {tier} generates no value, and none was given for {name}")
    do = f"chmod 600 {value_file} if nobody else saw it, else put another value there"
    data = read_private(value_file, Refusal(unreadable="SECRET_VALUE_MISSING", do=do))
    if data is None:
        raise ParityError("SECRET_VALUE_MISSING", f"{value_file} does not exist")
    # What is no text is no value either; the type's own check says what it must be.
    return data.decode(errors="replace").strip()
