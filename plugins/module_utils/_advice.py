# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to type. A text names a verb in braces, ``{up}``; here each mode's own command takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_VERBS = ("up", "status", "validate", "logs", "reset", "down")


def _commands(family: str, rotate: str) -> Mapping[str, str]:
    return MappingProxyType({**{verb: f"make {family}-{verb}" for verb in _VERBS}, "rotate": rotate})


_COMPOSE = _commands("local-dev", "make parity-secrets-rotate MODE=compose")
# A shared mode has no such verbs: what has to be tried first is tried in kind.
_KIND = _commands("kind-parity", "make parity-secrets-rotate")


def commands(target: str) -> Mapping[str, str]:
    """The command of each verb in a mode whose rendering is for ``target``."""
    return _COMPOSE if target == "compose" else _KIND


def advice(text: str, target: str) -> str:
    """``text`` with every ``{verb}`` replaced by the command of a mode whose rendering is for ``target``."""
    for verb, command in commands(target).items():
        text = text.replace(f"{{{verb}}}", command)
    return text
