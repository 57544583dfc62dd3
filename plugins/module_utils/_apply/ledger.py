# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects each base was applied as: ``applied.json`` of the run's folder.

The names of generated ConfigMaps and Secrets end in a hash that Kustomize computes, so what
a rendering consists of is known when it is built and not before; it is built to be applied.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._apply.identity import Identity
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_if_changed

_FILE = "applied.json"
_KUSTOMIZATION = "kustomization.yaml"


@dataclass(frozen=True)
class Ledger:
    """The ledger of the run's folder ``state_dir``."""

    state_dir: Path

    def enter(self, bases: Sequence[Path], objects: Iterable[dict[str, Any]]) -> None:
        """Note that ``bases``, together, are applied as ``objects``, and no longer as anything else.

        To be called before the first object is sent, so that none of them is ever taken for a leftover.
        Raises ParityError ``STATE_UNWRITABLE``.
        """
        names = {self._name(base) for base in bases}
        kept = [entry for entry in self._entries() if not names & set(entry["bases"])]
        entry = {"bases": sorted(names), "objects": sorted(astuple(identity) for identity in identities(objects))}
        entries = sorted([*kept, entry], key=lambda entry: list(entry["bases"]))
        write_if_changed(self.state_dir / _FILE, (json.dumps(entries, indent=1) + "\n").encode())

    def applied(self) -> frozenset[Identity]:
        """The objects of all bases that there still are. A base that is gone, with the function it was of, counts no more.

        Raises ParityError ``APPLY_INCOMPLETE`` when a function of the rendering was never applied.
        """
        present = [entry for entry in self._entries() if all((self.state_dir / base / _KUSTOMIZATION).is_file() for base in entry["bases"])]
        rendered = {self._name(file.parent) for file in self.state_dir.glob(f"rendered/*/{_KUSTOMIZATION}")}
        missing = rendered - {base for entry in present for base in entry["bases"]}
        if missing:
            raise ParityError("APPLY_INCOMPLETE", f"{', '.join(sorted(missing))} of {self.state_dir} was not applied")
        return frozenset(Identity(*names) for entry in present for names in entry["objects"])

    def _name(self, base: Path) -> str:
        resolved, root = base.resolve(), self.state_dir.resolve()
        return str(resolved.relative_to(root) if resolved.is_relative_to(root) else resolved)

    def _entries(self) -> list[dict[str, Any]]:
        """What is noted. A file that cannot be read notes nothing: the next applies write it again."""
        try:
            return list(json.loads((self.state_dir / _FILE).read_bytes()))
        except (OSError, ValueError):
            return []


def identities(objects: Iterable[dict[str, Any]]) -> set[Identity]:
    """Those of ``objects``, and of the claims that Kubernetes makes for a StatefulSet, ``<template>-<set>-<ordinal>``."""
    found = set()
    for obj in objects:
        identity = Identity.of(obj)
        found.add(identity)
        if identity.kind == "StatefulSet":
            spec = obj["spec"]
            found |= {
                Identity("", "PersistentVolumeClaim", identity.namespace, f"{template['metadata']['name']}-{identity.name}-{ordinal}")
                for template in spec.get("volumeClaimTemplates") or []
                for ordinal in range(spec.get("replicas", 1))
            }
    return found
