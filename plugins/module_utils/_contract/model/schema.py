# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON Schema (draft 2020-12) violations as short sentences that never quote a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import jsonschema

_TYPES = {dict: "a mapping", list: "a list", str: "a string", bool: "a boolean", int: "an integer", float: "a number"}


def violations(schema: dict[str, Any], data: Any) -> Iterator[tuple[Path, str]]:
    """Each violation as (path, sentence), in the order of paths.

    Keys are named, values never are: the same function checks secrets.
    """
    validator = jsonschema.Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(data), key=lambda e: ([str(part) for part in e.absolute_path], str(e.validator)))
    for error in errors:
        yield from _sentences(error)


def _sentences(error: jsonschema.ValidationError) -> Iterator[tuple[Path, str]]:
    path = tuple(error.absolute_path)
    # A violation always has its instance; the library's typing leaves that open.
    instance: Any = error.instance
    rule = error.schema if isinstance(error.schema, dict) else {}
    match error.validator:
        case "required":
            missing = [name for name in rule["required"] if name not in instance]
            # jsonschema reports one error for each missing name.
            yield from ((path, f"lacks {name}") for name in missing if repr(name) in error.message)
        case "additionalProperties" if rule.get("additionalProperties") is False:
            for name in sorted(set(instance) - set(rule.get("properties", {}))):
                yield (*path, name), "is unknown here"
        case "dependentRequired":
            pairs = [(name, needed) for name, all_needed in rule["dependentRequired"].items() for needed in all_needed]
            # As above, one error for each pair.
            yield from (
                (path, f"has {name}, and lacks {needed}")
                for name, needed in pairs
                if f"{needed!r} is a" in error.message and error.message.endswith(repr(name))
            )
        case "type" if "title" not in rule or rule["type"] in ("object", "array"):
            yield path, f"must be {_wanted(rule['type'])}, is {type_name(instance)}"
        case "enum":
            yield path, f"must be one of {', '.join(map(str, rule['enum']))}"
        case _ if _is_name(error):
            yield (*path, instance), f"is not {rule.get('title', 'a valid name')}"
        case _ if "title" in rule:
            yield path, f"must be {rule['title']}"
        case _:
            yield path, f"violates {error.validator} {error.validator_value}"


def type_name(value: Any) -> str:
    """What a value is, in words: ``a list``, ``null``."""
    return "null" if value is None else _TYPES.get(type(value), type(value).__name__)


def _wanted(types: str | list[str]) -> str:
    words = {
        "object": "a mapping",
        "array": "a list",
        "string": "a string",
        "integer": "an integer",
        "boolean": "a boolean",
    }
    return " or ".join(words.get(name, name) for name in ([types] if isinstance(types, str) else types))


def _is_name(error: jsonschema.ValidationError) -> bool:
    """Whether the violation is of a mapping's own key (``propertyNames``)."""
    return "propertyNames" in error.absolute_schema_path and isinstance(error.instance, str)
