# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""realm.yml: the identity provider's document, with its references resolved.

Only strings are expanded. Under the keys ``secret`` and ``password`` stands the
name of a secret of the contract, never a value: it stays, and must be known.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.references import Scope, scope_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.schema import type_name
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path

_SECRET_KEYS = ("secret", "password")


def resolve_realm(source: Source, contract: Contract, mode: Mode) -> dict[str, Any]:
    """The realm document with every ``${…}`` replaced.

    Raises ParityError: CONTRACT_INVALID, CONTRACT_REFERENCE.
    """
    problems = Problems()
    data = source.data
    if not isinstance(data, dict):
        problems.add("CONTRACT_INVALID", source.where(), f"must be a mapping, is {type_name(data)}")
    _check_secrets(data, (), source, contract, problems)
    problems.refuse()
    expanded: dict[str, Any] = _expand(data, (), source, scope_of(contract, mode))
    return expanded


def _expand(value: Any, path: Path, source: Source, scope: Scope) -> Any:
    if isinstance(value, dict):
        return {key: _expand(item, (*path, key), source, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, (*path, index), source, scope) for index, item in enumerate(value)]
    return scope.expand(value, source.where(*path)) if isinstance(value, str) else value


def _check_secrets(value: Any, path: Path, source: Source, contract: Contract, problems: Problems) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            _check_secrets(item, (*path, index), source, contract, problems)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        # The value is not told: it may be a secret that was written out.
        if key in _SECRET_KEYS and isinstance(item, str) and item not in contract.secrets:
            problems.add("CONTRACT_REFERENCE", source.where(*path, key), "must be the name of a secret of the contract")
        _check_secrets(item, (*path, key), source, contract, problems)
