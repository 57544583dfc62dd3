# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``${endpoints.api.url}`` in a check's arguments becomes the rendered contract's value.

Domain, public port, endpoints and services mean what they mean in a component.yml; other references reach what the
rendered contract has besides, such as ``${services.api.settings.GPUAAS_CA_FILE}``.
"""

from __future__ import annotations

import re
from typing import Any

_REFERENCE = re.compile(r"\$\{([^}]*)\}")


def _look_up(contract: dict[str, Any], path: str) -> Any:
    value: Any = contract
    for part in _parts(contract, path):
        if not isinstance(value, dict) or part not in value:
            raise ValueError(f"${{{path}}} is not in the rendered contract")
        value = value[part]
    return value


def _parts(contract: dict[str, Any], path: str) -> list[str]:
    """The parts of a path of the contract; a component's ``port`` is its main one."""
    match path.split("."):
        case ["services", name, "port"] if main := contract.get("services", {}).get(name, {}).get("main_port"):
            return ["services", name, "ports", main]
        case parts:
            return parts


def resolve(value: Any, contract: dict[str, Any]) -> Any:
    """The value with every reference replaced, in lists and mappings too.

    A string that is one reference takes the value's own type. Raises ValueError for an unknown reference
    and for one that stands inside other text but is not a string or a number.
    """
    if isinstance(value, list):
        return [resolve(item, contract) for item in value]
    if isinstance(value, dict):
        return {key: resolve(item, contract) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _look_up(contract, whole[1])

    def text(match: re.Match[str]) -> str:
        found = _look_up(contract, match[1])
        single = isinstance(found, (str, int, float))
        if not single:
            raise ValueError(f"{match[0]} is not a single value")
        return str(found)

    return _REFERENCE.sub(text, value)
