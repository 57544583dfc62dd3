# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an apply left behind: objects of ours in the cluster that no component has any more.

Ours is what carries the label of our renderings and was applied by our field manager. The label alone would
find what controllers make from ours (pods, ReplicaSets, Endpoints) and what somebody copied; the field manager
alone would find what somebody took over and labelled as theirs.

Data is never among it. A claim or a volume stays, is named, and is for its owner to delete. So does what would
take other things along: a namespace or a definition of resources goes only when everything in it goes too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._apply.identity import Identity
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.kinds import DATA, FOLLOWERS, HOLDERS, OF_EVERY_NAMESPACE, applied_by_us
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.ledger import Ledger
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import MANAGED_BY, OURS
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.strangers import Stranger, Surroundings
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.guard import own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.discovery import Reader, Resource, metadata, removable
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader

_NAMESPACE, _DEFINITION = ("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")
_INGRESS = "networking.k8s.io/v1"
_NAMED = 3


@dataclass(frozen=True)
class Leftover:
    """An object that no component has any more. ``why`` it stays nevertheless; empty when it goes."""

    identity: Identity
    api_version: str
    why: str = ""


@dataclass(frozen=True)
class Stale:
    """All leftovers of a cluster, and the Ingresses of others that claim our names.

    ``server`` is the URL that it answered at.
    """

    server: str
    leftovers: tuple[Leftover, ...]
    shadows: tuple[Stranger, ...]


def stale_in_own_cluster(state_dir: Path, kubeconfig: Path, hosts: Iterable[str]) -> Stale:
    """What is left over in the run's own cluster, and what claims its public ``hosts``.

    First ``own_cluster`` proves that it is that. Raises ParityError as it does, as ``Ledger.applied`` before the cluster is
    asked anything else, and ``KUBE_API_*``.
    """
    applied = Ledger(state_dir).applied()
    with own_cluster(state_dir, kubeconfig) as pinned, KubeReader.from_file(pinned) as reader:
        around = Surroundings(applied, frozenset(hosts))
        shadows = around.shadows({**item, "apiVersion": _INGRESS, "kind": "Ingress"} for item in reader.list("ingresses"))
        return Stale(reader.kubeconfig.server, tuple(leftovers(reader, applied)), tuple(shadows))


def leftovers(reader: Reader, applied: Collection[Identity]) -> list[Leftover]:
    """What is ours and not among what is ``applied``: what holds others comes last, as it goes last.

    Raises ParityError as KubeReader does.
    """
    resources = removable(reader)
    known = {_placed(identity) for identity in applied}
    found = [
        Leftover(identity, resource.api_version, "it holds data" if _kind(identity) in DATA else "")
        for resource in resources
        for item in metadata(reader, resource, labels=f"{MANAGED_BY}={OURS}")
        if _placed(identity := _identity(resource, item)) not in known and "deletionTimestamp" not in item
        if _kind(identity) in DATA or applied_by_us(item)
    ]
    found.sort(key=lambda one: (_kind(one.identity) in HOLDERS, one.identity))
    going = {one.identity for one in found if not one.why}
    return [one if one.why else replace(one, why=_guests(reader, resources, one.identity, going)) for one in found]


def _guests(reader: Reader, resources: Sequence[Resource], host: Identity, going: Collection[Identity]) -> str:
    """What would go along with ``host`` although it is not ``going``, in words; empty when nothing would."""
    held = sorted(str(guest) for guest in _held(reader, resources, host) if guest not in going)
    more = f" and {len(held) - _NAMED} more" if len(held) > _NAMED else ""
    return f"it holds {', '.join(held[:_NAMED])}{more}" if held else ""


def _held(reader: Reader, resources: Sequence[Resource], host: Identity) -> Iterator[Identity]:
    """What is in a namespace or of a definition, less what Kubernetes itself makes and removes."""
    for resource in resources:
        if _kind(host) == _NAMESPACE and resource.namespaced:
            items = metadata(reader, resource, host.name)
        elif _kind(host) == _DEFINITION and f"{resource.name}.{resource.group}" == host.name:
            items = metadata(reader, resource)
        else:
            continue
        for item in items:
            identity = _identity(resource, item)
            made = (*_kind(identity), identity.name) in OF_EVERY_NAMESPACE or _kind(identity) in FOLLOWERS
            if not made and not item.get("ownerReferences"):
                yield identity


def _placed(identity: Identity) -> Identity:
    """What names no namespace is applied to ``default``, if it has one at all: both are one."""
    return replace(identity, namespace="") if identity.namespace == "default" else identity


def _kind(identity: Identity) -> tuple[str, str]:
    return identity.group, identity.kind


def _identity(resource: Resource, item: dict[str, Any]) -> Identity:
    return Identity(resource.group, resource.kind, str(item.get("namespace", "")), str(item["name"]))
