# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""secrets.yml: read with suspicion, written whole. No value ever enters a message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model import strict_yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.schema import type_name, violations
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.private import read_private
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types import is_weak, narrowed

_HEADER = (
    "# One value for each name of the contract; kept by gpuaas.parity.\n"
    "# Keep it private and keep a copy: nothing in it is ever replaced but by a rotation.\n"
)


def read(path: Path) -> dict[str, Any] | None:
    """The mapping in ``path``; None when there is nothing of that name.

    Raises ParityError: SECRETS_PERMISSIONS for a file that is not ours alone or
    no regular file, SECRETS_UNREADABLE, SECRETS_CORRUPT.
    """
    data = read_private(path)
    return None if data is None else _parse(path, data)


def check(path: Path, values: dict[str, Any], wanted: dict[str, dict[str, Any]], schema: dict[str, Any]) -> None:
    """Refuse values that the contract does not have or that are not of their type; a missing name is not refused.

    Raises ParityError SECRETS_INVALID, which lists names and what each must be.
    """
    wrong = {str(where[0]): text for where, text in violations(narrowed(schema, wanted), values) if where}
    for name, secret in wanted.items():
        if name in values and name not in wrong and is_weak(secret["type"], values[name]):
            wrong[name] = "is too weak: it repeats a few characters"
    if wrong:
        seen = "\n".join(f"{path}: {name} {text}" for name, text in sorted(wrong.items()))
        raise ParityError("SECRETS_INVALID", seen, details={"names": sorted(wrong)})


def encode(values: dict[str, str]) -> bytes:
    """The bytes of secrets.yml: sorted, each value a double-quoted scalar."""
    return (_HEADER + "".join(f"{name}: {json.dumps(value)}\n" for name, value in sorted(values.items()))).encode()


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
