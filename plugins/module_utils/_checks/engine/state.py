# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run left on disk that checks are made against: the rendered contract and the secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import store
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.keep import Place

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
    """A function from a secret's name to its value, which reads secrets.yml once, when it is first asked.

    The function raises KeyError for a name without a value, ParityError ``SECRETS_EXPOSED`` when there is no file,
    and what ``_secrets.store.read`` raises; none shows what the file holds.
    """
    kept: dict[str, str] = {}

    def read(name: str) -> str:
        if not kept:
            file = Place(state_dir).file
            found = store.read(file)
            if found is None:
                raise ParityError("SECRETS_EXPOSED", f"{file} does not exist")
            kept.update({key: value for key, value in found.items() if value})
        return kept[name]

    return read
