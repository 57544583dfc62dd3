# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be done in a mode. An inventory says it; this refuses the rest before anything is touched."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


def refuse_verb(mode: str, verb: str, may: Sequence[str] | None, instead: str) -> None:
    """Raise ``MODE_VERB_REFUSED`` when ``verb`` is not among ``may``; None means that everything may be done.

    ``instead`` says where the refused work belongs. An empty ``may`` refuses every verb.
    """
    if may is None or verb in may:
        return
    allowed = f"may only {', '.join(may)}" if may else "may do nothing"
    seen = f"{verb} is not done in the mode {mode} from a checkout like this one, which {allowed} there"
    raise ParityError("MODE_VERB_REFUSED", seen, instead.strip(), {"mode": mode, "verb": verb, "may": list(may)})
