# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A text of a manifest as a Compose file must spell it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """``text`` of a command, an argument or a variable as the kubelet hands it over.

    It replaces ``$(NAME)`` by a variable that the container has, and two dollars by
    one (kubernetes.io, "Define Dependent Environment Variables"); all else stays.
    """
    return _REFERENCE.sub(lambda match: "$" if match[1] is None else variables.get(match[1], match[0]), text)


def spelled(words: Iterable[str]) -> list[str]:
    """Words with every dollar doubled: a single one would be Compose's own."""
    return [word.replace("$", "$$") for word in words]


def read(word: object) -> str:
    """A word of a Compose file as the container gets it."""
    return str(word).replace("$$", "$")
