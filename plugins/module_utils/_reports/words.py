# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failed task's result in words, for a human who must act on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_QUOTED = 12  # last lines of a program's output that a failure quotes


def failure_text(result: Mapping[str, Any]) -> str:
    """What a failed result says to a human: the message, and the end of what a program printed."""
    message = result.get("msg")
    if isinstance(message, (list, tuple)):
        message = "\n".join(str(line) for line in message)
    parts = [str(message).strip()] if message else []
    if not result.get("reason"):
        for key in ("stderr", "module_stderr", "stdout", "module_stdout"):
            text = result.get(key)
            if isinstance(text, str) and text.strip():
                parts.append("\n".join(text.strip().splitlines()[-_QUOTED:]))
                break
    return "\n".join(parts) or "failed without a message; run it again with -v"
