# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a realm document: the rendering of platform/realm.yml for a mode.

platform/realm.schema.json is the format; beyond it every name that is referred
to must be defined, and no ``${reference}`` may be left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import jsonschema, yaml

SCHEMA_FILE = Path(__file__).resolve().parents[3] / "platform" / "realm.schema.json"


def load_document(source: object) -> Json:
    """The document given as a mapping, or as the path of a JSON or YAML file, checked.

    Raises ParityError KEYCLOAK_REALM_INVALID, which names every wrong place.
    """
    document = source
    if isinstance(source, str):
        try:
            document = _yaml.load(Path(source).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ParityError("KEYCLOAK_REALM_INVALID", f"{source} cannot be read: {error}") from None
        except yaml.YAMLError as error:
            raise ParityError("KEYCLOAK_REALM_INVALID", f"{source} is no YAML or JSON: {error}") from None
    problems = list(_schema_problems(document))
    if not problems and isinstance(document, dict):
        problems = [*_unresolved(document, ""), *_dangling(document)]
    if problems or not isinstance(document, dict):
        raise ParityError("KEYCLOAK_REALM_INVALID", "; ".join(problems), details={"problems": problems})
    return document


def _schema_problems(document: object) -> Iterator[str]:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    for error in sorted(validator.iter_errors(document), key=lambda e: [str(p) for p in e.absolute_path]):
        where = ".".join(str(part) for part in error.absolute_path) or "document"
        title = error.schema.get("title") if isinstance(error.schema, dict) else None
        structural = error.validator in ("required", "additionalProperties", "type")
        yield f"{where}: {error.message if structural or not title else f'is not {title}'}"


def _unresolved(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _unresolved(item, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unresolved(item, f"{where}.{index}")
    elif isinstance(value, str) and "${" in value:
        yield f"{where}: holds an unresolved reference; give the rendered document, not platform/realm.yml"


def _dangling(document: Json) -> Iterator[str]:
    for name, scope in document["client_scopes"].items():
        for mapper_name, mapper in scope["mappers"].items():
            if mapper["kind"] == "audience" and mapper["audience"] not in document["clients"]:
                where = f"client_scopes.{name}.mappers.{mapper_name}.audience"
                yield f"{where}: no client {mapper['audience']} in the document"
    for name, user in document["users"].items():
        for role in user["roles"]:
            if role not in document["roles"]:
                yield f"users.{name}.roles: no role {role} in the document"
        for group in user["groups"]:
            if group not in document["groups"]:
                yield f"users.{name}.groups: no group {group} in the document"
