# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the secrets of a run in line with the contract, without ever losing one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.files import (
    ensure_dir,
    sweep,
    write_if_changed,
    writing,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import kinds, store


@dataclass(frozen=True)
class Kept:
    """What was done, by name; values are in the files only."""

    changed: bool
    generated: list[str]
    removed: list[str]
    file: Path
    files: list[str]


def keep(contract: dict[str, Any], schema: dict[str, Any], state_dir: Path, *, cluster_exists: bool, dry: bool) -> Kept:
    """Generate what is missing, check what is there, derive a file for each service's secret.

    Everything is generated when there is no secrets.yml and no cluster; a name
    that the contract gained is generated alone. Nothing is overwritten: a file
    that is not as it must be is refused. With ``dry`` nothing is written.

    Raises ParityError: SECRETS_MISSING, SECRETS_UNREADABLE, SECRETS_PERMISSIONS,
    SECRETS_CORRUPT, SECRETS_INVALID, CONTRACT_INVALID, CONTRACT_REFERENCE, STATE_UNWRITABLE.
    """
    root = state_dir / "secrets"
    file = root / "secrets.yml"
    wanted: dict[str, dict[str, str]] = contract["secrets"]
    derived = _derived(contract)
    found = store.read(file)
    if found is None and cluster_exists:
        raise ParityError("SECRETS_MISSING", f"{file} does not exist")
    values: dict[str, str] = found or {}
    store.check(file, values, wanted, schema)
    generated = sorted(set(wanted) - set(values))
    values = values | {name: kinds.make(wanted[name]["kind"]) for name in generated}
    store.check(file, values, wanted, schema)

    changed = [ensure_dir(directory, dry=dry) for directory in (state_dir, root)]
    if not dry:
        sweep(root)
    if generated or found is None:
        changed.append(write_if_changed(file, store.encode(values), dry=dry))
    removed = _remove_stale(root / "files", set(derived), dry=dry)
    for directory in sorted({(root / "files" / name).parent for name in derived} | {root / "files"}):
        changed.append(ensure_dir(directory, dry=dry))
    for name, secret in derived.items():
        changed.append(write_if_changed(root / "files" / name, values[secret].encode(), dry=dry))
    return Kept(
        any(changed) or bool(removed),
        generated,
        removed,
        file,
        [str(root / "files" / name) for name in sorted(derived)],
    )


def _derived(contract: dict[str, Any]) -> dict[str, str]:
    """``<service>/<key>`` -> name of the secret."""
    derived = {}
    for service, item in contract["services"].items():
        for key, secret in item["secrets"].items():
            if secret not in contract["secrets"]:
                raise ParityError("CONTRACT_REFERENCE", f"services.{service}.secrets.{key}: no secret {secret}")
            derived[f"{service}/{key}"] = secret
    return derived


def _remove_stale(root: Path, wanted: set[str], *, dry: bool) -> list[str]:
    """Remove what the contract does not name (any more); return it as paths below ``root``."""
    if not root.is_dir() or root.is_symlink():
        return []
    folders = {name.split("/")[0] for name in wanted}
    stale = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        is_folder = path.is_dir() and not path.is_symlink()
        if not (is_folder and name in folders) and (is_folder or name not in wanted):
            stale.append(name)
    if not dry:
        with writing(root):
            for name in stale:
                path = root / name
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
    return stale
