# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file for each secret of a service: what Kustomize and compose hand to it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import ensure_dir, write_if_changed, writing
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import identities

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def names_of(contract: dict[str, Any]) -> dict[str, str]:
    """``<service>/<key>`` -> name of the secret, for every service of a resolved contract that is handed secrets.

    One that asks another for them is handed what it logs in with.

    Raises ParityError: CONTRACT_REFERENCE for a name that is no secret,
    CONTRACT_INVALID for a service that is none of the secret's readers.
    """
    found = identities.client_secrets(contract)
    asking = identities.asking(contract)
    for service, item in contract["services"].items():
        if service in asking:
            continue
        for key, secret in item["secrets"].items():
            where = f"services.{service}.secrets.{key}"
            if secret not in contract["secrets"]:
                raise ParityError("CONTRACT_REFERENCE", f"{where}: no secret {secret}")
            if service not in contract["secrets"][secret].get("readers", ()):
                raise ParityError("CONTRACT_INVALID", f"{where}: {service} is not among secrets.{secret}.readers")
            found[f"{service}/{key}"] = secret
    return found


def check_private(root: Path, names: dict[str, str]) -> None:
    """Refuse files that others could have read; raises ParityError SECRETS_PERMISSIONS, which names the secrets."""
    seen = {}
    for name, secret in sorted(names.items()):
        path = root / name
        try:
            status = path.lstat()
        except OSError:
            continue
        if not stat.S_ISREG(status.st_mode):
            continue
        if status.st_uid != os.geteuid():
            seen[f"{path} belongs to user {status.st_uid}"] = secret
        elif stat.S_IMODE(status.st_mode) & _OTHERS:
            seen[f"{path} has mode {stat.S_IMODE(status.st_mode):04o}, it must be 0600"] = secret
    if seen:
        exposed = sorted(set(seen.values()))
        raise ParityError(
            "SECRETS_PERMISSIONS",
            "\n".join(f"{text}; it holds {secret}" for text, secret in seen.items()),
            f"chmod 600 it if nobody else saw it, else {{rotate}} NAME={exposed[0]}",
            details={"names": exposed},
        )


def texts_of(contract: dict[str, Any], names: dict[str, str], values: dict[str, str]) -> dict[str, str]:
    """``<service>/<key>`` -> what the file holds: the values of ``names``, and the ids of those who ask."""
    return {name: values[secret] for name, secret in names.items()} | identities.ids(contract, values)


def write(root: Path, texts: dict[str, str], *, dry: bool) -> bool:
    """Write the files that are not as they must be; say whether there were any. Raises ParityError STATE_UNWRITABLE."""
    changed = [ensure_dir(directory, dry=dry) for directory in sorted({(root / name).parent for name in texts} | {root})]
    changed += [write_if_changed(root / name, text.encode(), dry=dry) for name, text in texts.items()]
    return any(changed)


def remove_stale(root: Path, names: Collection[str], *, dry: bool) -> list[str]:
    """Remove what the contract does not name (any more); return it as paths below ``root``."""
    if not root.is_dir() or root.is_symlink():
        return []
    folders = {name.split("/")[0] for name in names}
    stale = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        is_folder = path.is_dir() and not path.is_symlink()
        if not (is_folder and name in folders) and (is_folder or name not in names):
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
