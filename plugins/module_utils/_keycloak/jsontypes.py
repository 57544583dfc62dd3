# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names for what the admin API speaks: JSON objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
"""A representation, as Keycloak's admin REST API calls its objects."""


def as_json(value: object) -> Json:
    """``value`` itself when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Json]:
    """The JSON objects of a JSON list; anything else counts as an empty list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def by_key(items: list[Json], key: str) -> dict[str, Json]:
    """Objects by the value of one of their fields."""
    return {str(item[key]): item for item in items if key in item}


def only(source: Mapping[str, Any], keys: Mapping[str, Any]) -> Json:
    """The fields of ``source`` that ``keys`` has too."""
    return {key: source[key] for key in keys if key in source}
