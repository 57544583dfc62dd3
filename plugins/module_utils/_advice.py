# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to type, in the words of the mode at hand."""

from __future__ import annotations

import re

# The targets of make are one verb in two families; every text of the collection names the first.
_KIND_TARGET = re.compile(r"\bmake kind-parity-(?=[a-z])")
# This one serves both modes, and is for kind unless it is told.
_ROTATE = re.compile(r"\bmake parity-secrets-rotate NAME=\w+")

# Where these send to kind, it is kind that is meant.
_OF_ANOTHER_MODE = frozenset({"MODE_VERB_REFUSED", "MODE_TARGET_REFUSED", "GATE_WRONG_MODE"})


def advice(text: str, target: str, reason: str = "") -> str:
    """``text`` with the targets of make that serve the rendering's ``target``: ``make local-dev-up`` for ``compose``.

    The text of a ``reason`` that is about another mode stays as it is.
    """
    if target != "compose" or reason in _OF_ANOTHER_MODE:
        return text
    return _ROTATE.sub(r"\g<0> MODE=compose", _KIND_TARGET.sub("make local-dev-", text))
