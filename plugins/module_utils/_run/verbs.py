# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be done in a mode. Its file says it; this refuses the rest before anything is touched."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.head import Head
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


def refuse_verb(head: Head, verb: str) -> None:
    """Raise ``MODE_VERB_REFUSED`` when ``verb`` is not among those that the mode allows, saying where it belongs."""
    if verb in head.may:
        return
    allowed = f"may only {', '.join(head.may)}" if head.may else "may do nothing"
    seen = f"{verb} is not done in the mode {head.mode} from a checkout like this one, which {allowed} there"
    raise ParityError("MODE_VERB_REFUSED", seen, head.instead.strip(), {"mode": head.mode, "verb": verb, "may": list(head.may)})
