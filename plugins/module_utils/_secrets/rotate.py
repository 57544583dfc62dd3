# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give one secret a new value, or a keyring a new version.

In the order of the writes: the old value is written down, secrets.yml gets the
new one, the delivered files follow. An end after any of them leaves the old
secrets or the new ones, and in the latter case the next run delivers the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import ensure_dir, sweep, write_if_changed
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import delivered, graph, previous, store, tiers
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.derivation import with_derived
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.entries import Opened, closed, problem
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.keep import Place
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.private import Refusal, read_private
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.table import TYPES, random_part


@dataclass(frozen=True)
class Rotated:
    """What was done, by name. ``replaced`` says whether the secret has a new value, ``changed`` whether any file does.

    ``derived`` are the secrets that follow from it, and ``readers`` those of all of them.
    """

    changed: bool
    replaced: bool
    derived: list[str]
    readers: list[str]
    file: Path
    files: list[str]


def rotate(contract: dict[str, Any], state_dir: Path, name: str, *, tier: str, value_file: Path | None, dry: bool) -> Rotated:
    """Give secret ``name`` the value in ``value_file`` or, in tier local without one, a random one.

    A keyring keeps its versions and gets the value as another one, which is in use from then on. What is derived from
    the secret is derived again, and what it wraps stays readable. A value that the secret has already is no rotation:
    so a run that was interrupted can be repeated with the same file. With ``dry`` nothing is written.

    Raises ParityError: SECRET_UNKNOWN, SECRETS_DERIVED, SECRET_VALUE_MISSING,
    SECRETS_MISSING, SECRETS_TIER_CHANGED, SECRETS_UNREADABLE, SECRETS_PERMISSIONS,
    SECRETS_CORRUPT, SECRETS_INVALID, SECRETS_INCOMPLETE, CONTRACT_INVALID, CONTRACT_REFERENCE,
    CONTRACT_CYCLE, STATE_UNWRITABLE.
    """
    place = Place(state_dir)
    wanted: graph.Wanted = contract["secrets"]
    graph.refuse(wanted)
    _check_name(name, wanted, tier)
    derived = graph.derived_of(wanted, name)
    names = {file: secret for file, secret in delivered.names_of(contract).items() if secret in (name, *derived)}
    entries = store.load(place.file)
    if entries is None:
        raise ParityError("SECRETS_MISSING", f"{place.file} does not exist", "bring the platform up first; there is nothing to rotate")
    tiers.check_same(state_dir, tier)
    before = store.examine(entries, wanted)
    store.refuse(place.file, _remaining(before, wanted, name))
    _check_wrapper(place.file, before, wanted, name)

    part = _new_part(name, wanted[name]["type"], tier, value_file)
    old = before.values.get(name)
    new = TYPES[wanted[name]["type"]].renew(old, part)
    if wrong := problem(TYPES[wanted[name]["type"]], new):
        store.refuse(value_file or place.file, {name: wrong})
    values = with_derived(before.values | {name: new}, wanted)
    after = closed(values, wanted, entries)
    changed = [ensure_dir(place.root, dry=dry)]
    if not dry:
        sweep(place.root)
        _remember(place, before, values, wanted, (name, *derived))
    if after != entries:
        changed.append(write_if_changed(place.file, store.encode(after), dry=dry))
    changed.append(delivered.write(place.files, delivered.texts_of(contract, names, values), dry=dry))
    readers = sorted({reader for secret in (name, *derived) for reader in wanted[secret].get("readers", ())})
    return Rotated(any(changed), new != old, derived, readers, place.file, [str(place.files / file) for file in sorted(names)])


def _check_name(name: str, wanted: graph.Wanted, tier: str) -> None:
    """Refuse what has no value of its own that could be replaced."""
    if name not in wanted:
        # What was given is not repeated: it may be a value in the wrong place.
        raise ParityError("SECRET_UNKNOWN", f"no secret has the name that was given; known are: {', '.join(sorted(wanted))}")
    if tier == tiers.CI:
        raise ParityError("SECRETS_DERIVED", f"{name} follows from the seed, as every secret of tier ci")
    if (origin := graph.origin_of(wanted, name)) != name:
        raise ParityError("SECRETS_DERIVED", f"{name} is derived from {wanted[name]['derived_from']}", f"{{rotate}} NAME={origin}")


def _remaining(before: Opened, wanted: graph.Wanted, name: str) -> dict[str, str]:
    """What is wrong apart from the value that is replaced. Of a keyring nothing is replaced."""
    grows = TYPES[wanted[name]["type"]].grows
    return {key: text for key, text in before.wrong.items() if grows or key != name}


def _check_wrapper(file: Path, before: Opened, wanted: graph.Wanted, name: str) -> None:
    wrapper = wanted[name].get("wrapped_by", name)
    if wrapper != name and wrapper not in before.values:
        raise ParityError("SECRETS_INVALID", f"{file}: {wrapper}, which wraps {name}, has no value yet", "{up}")


def _new_part(name: str, type_: str, tier: str, value_file: Path | None) -> str:
    if value_file is None:
        if tier == tiers.LOCAL:
            return random_part(type_)
        raise ParityError("SECRET_VALUE_MISSING", f"tier {tier} generates no value, and none was given for {name}")
    do = f"chmod 600 {value_file} if nobody else saw it, else put another value there"
    data = read_private(value_file, Refusal(unreadable="SECRET_VALUE_MISSING", do=do))
    if data is None:
        raise ParityError("SECRET_VALUE_MISSING", f"{value_file} does not exist")
    # What is no text is no value either; the type's own check says what it must be.
    value = data.decode(errors="replace").strip()
    if wrong := problem(TYPES[type_].part, value):
        store.refuse(value_file, {name: wrong})
    return value


def _remember(place: Place, before: Opened, values: dict[str, str], wanted: graph.Wanted, names: tuple[str, ...]) -> None:
    """Write down the values that others take the place of; a keyring has its old versions itself."""
    old = {
        name: before.values[name]
        for name in names
        if name in before.values and before.values[name] != values[name] and not TYPES[wanted[name]["type"]].grows
    }
    if old:
        previous.remember(previous.beside(place.file), old)
