# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that were replaced and may still be in use somewhere: previous.yml, beside secrets.yml.

A rotation writes one down before it replaces it; the next run that finds every
service ready and the realm settled forgets all of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_atomic, writing
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import store

_HEADER = "# Replaced secrets that may still be in use; removed once nothing uses them.\n"


def beside(secrets_file: Path) -> Path:
    """The file of the values that those in ``secrets_file`` replaced."""
    return secrets_file.with_name("previous.yml")


def values_of(file: Path) -> dict[str, list[str]]:
    """Replaced values by name, the newest first; empty without a file.

    Raises ParityError SECRETS_CORRUPT, SECRETS_PERMISSIONS, SECRETS_UNREADABLE.
    """
    found = store.load(file) or {}
    for values in found.values():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ParityError("SECRETS_CORRUPT", f"{file} must hold a list of texts for each name", f"rm {file}")
    return found


def remember(file: Path, replaced: Mapping[str, str]) -> None:
    """Put each replaced value before the others of its name. Raises what ``values_of`` raises, and STATE_UNWRITABLE."""
    every = values_of(file)
    for name, value in replaced.items():
        every[name] = [value, *(old for old in every.get(name, []) if old != value)]
    write_atomic(file, (_HEADER + "".join(f"{key}: {json.dumps(every[key])}\n" for key in sorted(every))).encode())


def forget(file: Path) -> None:
    """Remove the file. Raises ParityError STATE_UNWRITABLE."""
    with writing(file):
        try:
            file.unlink()
        except FileNotFoundError:
            return
        descriptor = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
