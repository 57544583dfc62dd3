# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every value of a file of secrets that is to be hidden, for redaction: the one lenient reader.

It takes what it can from a file that is damaged, exposed or of another contract, where ``store`` refuses: what was a
secret must not be shown because its file is not as it must be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.entries import opened

# Shorter words may be part of anything.
_SHORT = 4
_WORDS = re.compile(r"[^\s\"',:\[\]{}#\ufffd]+")
_LEADS = ("derived_from", "wrapped_by")
# What an entry says besides values.
_NO_VALUES = {"type", "primary", "version", *_LEADS}


def values_in(text: str) -> tuple[set[str], list[str]]:
    """Values to hide, and the names of entries whose values could not be learnt.

    ``text`` is that of secrets.yml or of previous.yml. Of one that is corrupt, every word long enough is a value.
    """
    try:
        document = _yaml.load(text)
    except yaml.YAMLError:
        document = None
    values: set[str] = set()
    unknown: list[str] = []
    if isinstance(document, dict):
        entries = {str(name): entry for name, entry in document.items()}
        found = opened(entries)
        values |= {leaf for entry in entries.values() for leaf in _leaves(entry)}
        values |= {part for value in found.values.values() for part in parts(value)}
        unknown = sorted(name for name in found.wrong if _leads(entries[name]))
    elif any(lead in text for lead in _LEADS):
        unknown = ["what is derived or wrapped"]
    if not isinstance(document, dict) or "\ufffd" in text:
        values |= {word for word in _WORDS.findall(text) if len(word) >= _SHORT}
        values |= {line.partition(":")[2].strip(" \t\r\"'") for line in text.splitlines()}
    return values, unknown


def parts(value: str) -> set[str]:
    """A value as it is delivered, and what is secret within one that is JSON."""
    try:
        document = json.loads(value) if value.lstrip().startswith("{") else None
    except ValueError:
        document = None
    return {value, value.strip(), *_leaves(document)}


def _leads(entry: Any) -> bool:
    return isinstance(entry, dict) and any(lead in entry for lead in _LEADS)


def _leaves(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in _NO_VALUES:
                yield from _leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value)
    elif isinstance(node, str):
        yield from {node, node.strip()}
    elif isinstance(node, bytes):
        yield node.decode(errors="replace")
    elif node is not None and not isinstance(node, bool):
        yield str(node)
