# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The paths that an endpoint answers at: its Ingress says them, for every mode. Everything else of its host is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Base, Manifest, dig, items
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# Kubernetes' third, ImplementationSpecific, says nothing that a file of routes could follow.
_TYPES = {"Prefix": "PathPrefix", "Exact": "Path"}


@dataclass(frozen=True)
class IngressPath:
    """One path of an Ingress; ``kind`` is its pathType."""

    kind: str
    path: str

    @property
    def problem(self) -> str:
        """Why it cannot be a route in every mode; empty where it can."""
        if self.kind not in _TYPES:
            return f"has a path {self.path or 'that is empty'} of pathType {self.kind or 'none'}, not {' or '.join(sorted(_TYPES))}"
        if not self.path.startswith("/") or "`" in self.path:
            return f"has a path {self.path or 'that is empty'}, which does not begin with / or holds a backtick"
        return ""

    @property
    def matcher(self) -> str:
        """Traefik's rule for it, as its Ingress provider writes it."""
        return f"{_TYPES[self.kind]}(`{self.path}`)"

    def leads(self, path: str) -> bool:
        """Whether a request for ``path`` comes this way (Kubernetes, "Ingress": path types)."""
        if self.kind == "Exact":
            return path == self.path
        prefix = self.path.rstrip("/")
        return path == prefix or path.startswith(f"{prefix}/")


def paths_of(ingress: Manifest) -> tuple[IngressPath, ...]:
    """The paths of an Ingress with one rule, in its order."""
    found = items(ingress.data, "spec", "rules", 0, "http", "paths")
    return tuple(IngressPath(str(dig(path, "pathType") or ""), str(dig(path, "path") or "")) for path in found)


def paths_by_endpoint(bases: Iterable[Base]) -> dict[str, tuple[IngressPath, ...]]:
    """Of each endpoint that an Ingress of these manifests is named after, its paths.

    Raises ParityError CONTRACT_MANIFEST_MISMATCH for a path that cannot be a route in every mode.
    """
    found: dict[str, tuple[IngressPath, ...]] = {}
    for manifest in (manifest for base in bases for manifest in base.of_kind("Ingress")):
        found[manifest.name] = paths_of(manifest)
        if problem := next((path.problem for path in found[manifest.name] if path.problem), ""):
            raise ParityError("CONTRACT_MANIFEST_MISMATCH", f"{manifest.where}: {problem}")
    return found
