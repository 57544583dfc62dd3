# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A resolved contract as an input: the document itself, or the path of contract.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# Names become parts of paths: no dot, no slash.
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def load_resolved(value: object) -> dict[str, Any]:
    """A resolved contract out of a mapping or a path, in plain types.

    Raises ParityError: CONTRACT_UNREADABLE for a file that cannot be read,
    CONTRACT_INVALID for a document that is not a resolved contract.
    """
    label = "contract"
    text = ""
    if isinstance(value, str):
        label = value
        try:
            text = Path(value).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            cause = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise ParityError("CONTRACT_UNREADABLE", f"{label}: {cause}", do="{up} renders it") from None
    try:
        # A template's result carries tagged types; a round trip leaves plain ones.
        data = json.loads(text if isinstance(value, str) else json.dumps(value))
    except (ValueError, TypeError):
        raise ParityError("CONTRACT_INVALID", f"{label}: is not a JSON document") from None
    if not isinstance(data, dict) or data.get("contract") != 1:
        raise ParityError("CONTRACT_INVALID", f"{label}: is not a resolved contract of version 1")
    for part in ("endpoints", "services", "secrets"):
        if not isinstance(data.get(part), dict):
            raise ParityError("CONTRACT_INVALID", f"{label}: lacks {part}")
        for name in data[part]:
            if not _NAME.fullmatch(name):
                raise ParityError("CONTRACT_INVALID", f"{label}: {part}.{name}: is not a valid name")
    return data
