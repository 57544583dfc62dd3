# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read contract/ from disk: strict YAML, then the JSON Schema that stands beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model import strict_yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode, Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.misplaced import Misplaced, in_contract, in_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems, dotted
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.schema import violations
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_MODE_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def load_contract(directory: Path) -> Contract:
    """contract/platform.yml of ``directory``.

    Raises ParityError: CONTRACT_UNREADABLE, CONTRACT_DUPLICATE_KEY, CONTRACT_INVALID,
    CONTRACT_SETTING_IN_SECRET.
    """
    source = read_source(directory / "platform.yml", directory)
    check_schema(source, directory / "contract.schema.json", "CONTRACT_INVALID", in_contract(source.document.data))
    return Contract.parse(source)


def load_mode(directory: Path, name: str) -> Mode:
    """contract/modes/<name>.yml of ``directory``.

    Raises ParityError: CONTRACT_UNKNOWN_MODE, CONTRACT_UNREADABLE, CONTRACT_DUPLICATE_KEY, MODE_INVALID,
    MODE_OVERRIDES_CONTRACT.
    """
    path = directory / "modes" / f"{name}.yml"
    if not _MODE_NAME.fullmatch(name) or not path.is_file():
        known = mode_names(directory)
        raise ParityError("CONTRACT_UNKNOWN_MODE", f"mode {name!r}; known are: {', '.join(known) or 'none'}")
    source = read_source(path, directory, invalid="MODE_INVALID")
    check_schema(source, directory / "mode.schema.json", "MODE_INVALID", in_mode(source.document.data))
    mode = Mode.parse(source)
    if mode.name != name:
        raise ParityError("MODE_INVALID", f"{source.where('mode')}: is {mode.name}, the file's name says {name}")
    return mode


def mode_names(directory: Path) -> list[str]:
    """The modes that ``directory`` has a file for, sorted."""
    return sorted(file.stem for file in (directory / "modes").glob("*.yml"))


def read_source(path: Path, root: Path, *, invalid: str = "CONTRACT_INVALID") -> Source:
    """A strictly read YAML file; ``invalid`` is the reason id for broken YAML."""
    label = f"{root.absolute().name}/{path.relative_to(root)}"
    text = read_text(path, label)
    try:
        return Source(label, strict_yaml.load(text))
    except strict_yaml.YamlProblem as problem:
        where = f"{label}: {dotted(problem.path) or 'the document'} (line {problem.line})"
        if problem.kind == "duplicate":
            raise ParityError("CONTRACT_DUPLICATE_KEY", f"{where}: the key stands twice, {problem.text}") from None
        raise ParityError(invalid, f"{where}: {problem.text}") from None


def read_text(path: Path, label: str) -> str:
    """The UTF-8 text of a file. Raises ParityError CONTRACT_UNREADABLE."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ParityError("CONTRACT_UNREADABLE", f"{label}: {cause}") from None


def read_schema(path: Path) -> dict[str, Any]:
    """A JSON Schema. Raises ParityError CONTRACT_UNREADABLE."""
    try:
        schema = json.loads(read_text(path, path.name))
    except json.JSONDecodeError as error:
        raise ParityError("CONTRACT_UNREADABLE", f"{path.name}: line {error.lineno}: {error.msg}") from None
    if not isinstance(schema, dict):
        raise ParityError("CONTRACT_UNREADABLE", f"{path.name}: is not a JSON object")
    return schema


def check_schema(source: Source, schema: Path, reason: str, misplaced: Misplaced) -> None:
    """Refuse a document that holds what is ``misplaced`` or that the schema does not admit, naming all of it."""
    problems = Problems()
    told = set()
    for own, place, sentence in misplaced:
        told.add(place)
        problems.add(own, source.where(*place), sentence)
    for path, sentence in violations(read_schema(schema), source.document.data):
        # The schema names the key that holds it, or what is wrong within it.
        if not any(place[: len(path)] == path or path[: len(place)] == place for place in told):
            problems.add(reason, source.where(*path), sentence)
    problems.refuse()
