# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the cluster besides what was rendered, as far as it touches the platform.

That is whatever lies in one of its namespaces, an Ingress that claims one of its names, and a
binding that gives its service accounts further rights. What Kubernetes makes by itself does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._apply.identity import Identity
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.kinds import DATA, FOLLOWERS, HOLDERS, OF_EVERY_NAMESPACE, applied_by_us
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import MANAGED_BY, OURS
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.discovery import Resource

Object = dict[str, Any]
# A holder takes it and gives it back; it is no part of what is deployed.
_LEASE = ("coordination.k8s.io", "Lease")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")


@dataclass(frozen=True)
class Stranger:
    """An object that the rendering does not have; ``why`` it matters, and the ``field`` that shows it, empty for the whole."""

    identity: Identity
    why: str
    field: str = ""
    # Applied by us before: the next run removes it.
    left_over: bool = False

    @property
    def removal(self) -> str:
        """The arguments with which kubectl removes it."""
        place = f" --namespace={self.identity.namespace}" if self.identity.namespace else ""
        kind = f"{self.identity.kind}.{self.identity.group}" if self.identity.group else self.identity.kind
        return f"delete {kind.lower()} {self.identity.name}{place}"


@dataclass(frozen=True)
class Surroundings:
    """What of the platform others can get in the way of: its objects' ``identities``, and its public ``hosts``."""

    identities: frozenset[Identity]
    hosts: frozenset[str]

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that the rendering makes; nobody else has anything to put there."""
        return frozenset(identity.name for identity in self.identities if (identity.group, identity.kind) == ("", "Namespace"))

    def inhabitants(self, resource: Resource, items: Iterable[Object]) -> Iterator[Stranger]:
        """Of a kind's objects, given by their metadata, those that are in our namespaces, or were ours, and were not rendered."""
        kind = (resource.group, resource.kind)
        if kind in FOLLOWERS or kind == _LEASE:
            return
        for meta in items:
            identity = Identity(*kind, str(meta.get("namespace", "")), str(meta["name"]))
            if identity in self.identities or meta.get("ownerReferences") or "deletionTimestamp" in meta:
                continue
            ours = (meta.get("labels") or {}).get(MANAGED_BY) == OURS
            # Data stay, and with them what holds them; the next run says so. What else is in it is named itself.
            if ours and kind in DATA | HOLDERS:
                continue
            if ours and applied_by_us(meta):
                yield Stranger(identity, "no component has it any more", left_over=True)
            elif identity.namespace in self.namespaces and (*kind, identity.name) not in OF_EVERY_NAMESPACE:
                yield Stranger(identity, "not part of the platform")

    def shadows(self, ingresses: Iterable[Object]) -> Iterator[Stranger]:
        """The Ingresses that claim our names, of a class of ours or of none."""
        classes = {identity.name for identity in self.identities if identity.kind == "IngressClass"} | {None, ""}
        for obj in ingresses:
            identity, spec = Identity.of(obj), obj.get("spec") or {}
            if identity in self.identities or spec.get("ingressClassName") not in classes:
                continue
            taken = {str(rule.get("host") or "*") for rule in spec.get("rules") or []} | ({"*"} if spec.get("defaultBackend") else set())
            wrong = [host for host in sorted(taken) if any(_covers(host, name) for name in self.hosts)]
            if wrong:
                yield Stranger(identity, f"claims {', '.join(wrong)}", "spec.rules.host")

    def bindings(self, found: Iterable[Object]) -> Iterator[Stranger]:
        """The bindings that give service accounts of our namespaces rights, and were not rendered."""
        for obj in found:
            identity = Identity.of(obj)
            if obj["kind"] not in _BINDINGS or identity in self.identities or identity.namespace in self.namespaces:
                continue
            given = [self._account(subject) for subject in obj.get("subjects") or []]
            if names := [name for name in given if name]:
                role = (obj.get("roleRef") or {}).get("name")
                yield Stranger(identity, f"gives {', '.join(names)} the rights of {role}", "subjects")

    def _account(self, subject: Object) -> str:
        """The service accounts of ours that a subject names; empty for all others."""
        match subject.get("kind"), subject.get("namespace"), str(subject.get("name")):
            case "ServiceAccount", str() as namespace, name if namespace in self.namespaces:
                return f"{namespace}/{name}"
            case "Group", _namespace, name if name.removeprefix("system:serviceaccounts:") in self.namespaces:
                return name
        return ""


def _covers(host: str, name: str) -> bool:
    """Whether an Ingress host, which may begin with a wildcard, claims a name."""
    if host.startswith("*."):
        return name.partition(".")[2] == host[2:]
    return host in ("*", name)
