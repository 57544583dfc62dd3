# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read files of a platform: strict YAML, then the JSON Schema of this collection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model import strict_yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.misplaced import Misplaced
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems, dotted
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.schema import violations
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File, Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.place import REFERENCE
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


def read_file(path: Path, root: Path, *, invalid: str = "CONTRACT_INVALID") -> File:
    """A strictly read YAML file below ``root``; ``invalid`` is the reason id for broken YAML.

    Raises ParityError: CONTRACT_UNREADABLE, CONTRACT_DUPLICATE_KEY, or ``invalid``.
    """
    label = f"{shown(root)}/{path.relative_to(root).as_posix()}"
    text = read_text(path, label)
    try:
        return File(label, strict_yaml.load(text))
    except strict_yaml.YamlProblem as problem:
        where = f"{label}: {dotted(problem.path) or 'the document'} (line {problem.line})"
        if problem.kind == "duplicate":
            raise ParityError("CONTRACT_DUPLICATE_KEY", f"{where}: the key stands twice, {problem.text}") from None
        raise ParityError(invalid, f"{where}: {problem.text}") from None


def shown(root: Path) -> str:
    """How a platform's folder is named in messages: ``platform`` is the reference one, ``shop/platform`` another team's."""
    root = root.absolute()
    return root.name if root == REFERENCE else "/".join(root.parts[-2:])


def read_text(path: Path, label: str) -> str:
    """The UTF-8 text of a file. Raises ParityError CONTRACT_UNREADABLE."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ParityError("CONTRACT_UNREADABLE", f"{label}: {cause}") from None


def read_schema(name: str) -> dict[str, Any]:
    """The schema ``<name>.schema.json`` of this collection."""
    schema: dict[str, Any] = json.loads((REFERENCE / f"{name}.schema.json").read_text(encoding="utf-8"))
    return schema


def check_schema(source: Source, schema: str, reason: str, misplaced: Misplaced) -> None:
    """Refuse a document that holds what is ``misplaced`` or that the schema does not admit, naming all of it."""
    problems = Problems()
    named = set()
    for own, place, sentence in misplaced:
        named.add(place)
        problems.add(own, source.where(*place), sentence)
    for path, sentence in violations(read_schema(schema), source.data):
        # The schema names the key that holds it, or what is wrong within it.
        if not any(place[: len(path)] == path or path[: len(place)] == place for place in named):
            problems.add(reason, source.where(*path), sentence)
    problems.refuse()
