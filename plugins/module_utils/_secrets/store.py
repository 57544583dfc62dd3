# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""secrets.yml: the one place that reads it, with suspicion, and what it is written as. No value ever enters a message.

Only what hides secrets reads more leniently (``hidden``): it has to know values of a damaged file as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model import strict_yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.schema import type_name
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.entries import Opened, fits, opened, problem, shape
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.graph import Wanted, origin_of
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.private import read_private
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.table import TYPES

_HEADER = (
    "# One entry for each secret of the contract; kept by gpuaas.parity.\n"
    "# Keep it private and keep a copy: no value in it is ever replaced but by a rotation.\n"
)


def read(path: Path) -> dict[str, str] | None:
    """The value of every secret in ``path``, derived and unwrapped; None when there is nothing of that name.

    Raises ParityError: SECRETS_PERMISSIONS for a file that is not ours alone or
    no regular file, SECRETS_UNREADABLE, SECRETS_CORRUPT, SECRETS_INVALID for an entry without a value.
    """
    entries = load(path)
    if entries is None:
        return None
    found = opened(entries)
    refuse(path, found.wrong)
    return found.values


def load(path: Path) -> dict[str, Any] | None:
    """The mapping in a file of secrets, as it stands there. Raises what ``read`` raises, but SECRETS_INVALID."""
    data = read_private(path)
    return None if data is None else _parse(path, data)


def examine(entries: Mapping[str, Any], wanted: Wanted) -> Opened:
    """The values of entries, each of which must be what the contract wants; one that is missing is not wrong."""
    found = opened(entries)
    for name, entry in entries.items():
        if name not in wanted:
            found.wrong[name] = "is unknown here"
        elif not fits(must := shape(wanted[name], entry), entry):
            found.wrong[name] = f"must be {must['title']}"
        elif "derived_from" in wanted[name] and origin_of(wanted, name) in entries:
            # It follows from that again, which is named itself where something is wrong with it.
            found.wrong.pop(name, None)
        elif name in found.values and (text := problem(TYPES[wanted[name]["type"]], found.values[name])):
            found.wrong[name] = text
    return found


def refuse(path: Path, wrong: Mapping[str, str]) -> None:
    """Raise ParityError SECRETS_INVALID, which lists names and what is wrong with each, where there are any."""
    if wrong:
        seen = "\n".join(f"{path}: {name} {text}" for name, text in sorted(wrong.items()))
        raise ParityError("SECRETS_INVALID", seen, details={"names": sorted(wrong)})


def encode(entries: Mapping[str, Any]) -> bytes:
    """The bytes of secrets.yml: sorted, one line each, which is JSON."""
    return (_HEADER + "".join(f"{name}: {json.dumps(entry)}\n" for name, entry in sorted(entries.items()))).encode()


def _parse(path: Path, data: bytes) -> dict[str, Any]:
    try:
        found = strict_yaml.load(data.decode())
    except UnicodeDecodeError:
        raise ParityError("SECRETS_CORRUPT", f"{path} is not UTF-8 text") from None
    except strict_yaml.YamlProblem as problem:
        # The problem's text and path may quote the file: only its place is told.
        what = "a name stands twice" if problem.kind == "duplicate" else "is not plain YAML"
        raise ParityError("SECRETS_CORRUPT", f"{path}, line {problem.line}: {what}") from None
    if not isinstance(found.data, dict):
        raise ParityError("SECRETS_CORRUPT", f"{path} must be a mapping, is {type_name(found.data)}")
    return found.data
