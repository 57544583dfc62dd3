# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run left on disk that checks are made against: the rendered contract and the secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml

# Keys without which a rendered contract is none.
_NEEDED = ("services", "endpoints", "secrets")


def read_contract(state_dir: Path) -> dict[str, Any]:
    """The rendered contract of a run. Raises ParityError ``CONTRACT_NOT_RENDERED``."""
    return _rendered(state_dir, "contract", _NEEDED)


def read_realm(state_dir: Path) -> dict[str, Any]:
    """The rendered realm document of a run, in which secrets are names. Raises ParityError ``CONTRACT_NOT_RENDERED``."""
    return _rendered(state_dir, "realm")


def _rendered(state_dir: Path, what: str, needed: Sequence[str] = ()) -> dict[str, Any]:
    """The rendered document ``what``, in which each of ``needed`` is a mapping."""
    file = state_dir / "rendered" / f"{what}.json"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else f"is not JSON: {error}"
        raise ParityError("CONTRACT_NOT_RENDERED", f"{file}: {cause}") from error
    if not isinstance(document, dict) or not all(isinstance(document.get(key), dict) for key in needed):
        raise ParityError("CONTRACT_NOT_RENDERED", f"{file} holds no {what}")
    return document


def secret_reader(state_dir: Path) -> Callable[[str], str]:
    """A function from a secret's name to its value, which reads the file once, when it is first asked.

    The function raises KeyError for a name without a value and ParityError ``SECRETS_EXPOSED`` when the file is
    missing or damaged; neither shows what the file holds.
    """
    kept: dict[str, str] = {}

    def read(name: str) -> str:
        if not kept:
            kept.update(_read(state_dir / "secrets" / "secrets.yml"))
        return kept[name]

    return read


def _read(file: Path) -> dict[str, str]:
    try:
        document = _yaml.load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParityError("SECRETS_EXPOSED", f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ParityError("SECRETS_EXPOSED", f"{file} is damaged: it is not YAML") from None
    if not isinstance(document, dict):
        raise ParityError("SECRETS_EXPOSED", f"{file} is damaged: it is not a mapping")
    return {str(key): value for key, value in document.items() if isinstance(value, str) and value}
