# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every live object against the rendering.

What an object should be is what the server says that it would be after our apply, by a dry run: only the server
knows its defaults, how it writes quantities, and which list is a map. kubectl diff, Flux and Argo CD's server-side
diff find out in the same way. The dry run leaves what others added, so that is read off the managed fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.apply import FIELD_MANAGER, Kubectl
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.identity import Identity
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.ledger import identities
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.redaction import knowledge_of
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.fields import differences
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.managers import added, applied_at
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.outdated import contents, outdated
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.rows import Row, shown
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.strangers import Stranger, Surroundings
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.guard import own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._kube import discovery
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.discovery import Resource
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader

Object = dict[str, Any]
Mask = Callable[[str], str]
_ORIGIN = "config.kubernetes.io/origin"
_RBAC = "rbac.authorization.k8s.io"
# Read whole although they may not be among what was rendered.
_WATCHED = {("", "Pod"), ("networking.k8s.io", "Ingress"), (_RBAC, "RoleBinding"), (_RBAC, "ClusterRoleBinding")}
# Many, and nobody's configuration.
_PASSED_OVER = {"Event"}
_REQUESTS = 8
_SECONDS = 10.0


class Reader(discovery.Reader, Protocol):
    """The part of KubeReader that a comparison needs."""

    def would_be(self, path: str, obj: Object, manager: str) -> Object: ...


@dataclass(frozen=True)
class Rendered:
    """An object as it was rendered, and the file that it comes from."""

    data: Object
    file: str

    @classmethod
    def read(cls, built: Object) -> Rendered:
        """One that Kustomize built with its origin in an annotation, which is taken away."""
        meta = dict(built["metadata"])
        annotations = dict(meta.pop("annotations", {}))
        origin = _yaml.load(annotations.pop(_ORIGIN, "")) or {}
        file = str(origin.get("path") or origin.get("configuredIn") or "")
        meta |= {"annotations": annotations} if annotations else {}
        return cls({**built, "metadata": meta}, file.replace("../", ""))


def drift_of_own_cluster(program: Path, state_dir: Path, kubeconfig: Path) -> list[Row]:
    """What in the run's own cluster is not as it was rendered, once ``own_cluster`` has proved that it is that.

    ``program`` is kubectl. Nothing is changed. Raises ParityError as ``own_cluster``, ``APPLY_BASE_INVALID`` and ``KUBE_API_*``.
    """
    with own_cluster(state_dir, kubeconfig) as pinned, KubeReader.from_file(pinned, _SECONDS) as reader:
        kubectl = Kubectl(program, pinned, state_dir / "kubectl-cache")
        bases = sorted(file.parent for file in state_dir.glob("rendered/*/kustomization.yaml"))
        rendered = [Rendered.read(built) for built in kubectl.build(bases, origins=True)]
        return rows(reader, rendered, _masking(state_dir), f"kubectl --kubeconfig={kubeconfig}")


def rows(reader: Reader, rendered: Sequence[Rendered], mask: Mask, kubectl: str) -> list[Row]:
    """What in a cluster is not as it was ``rendered``, in the order of its objects.

    ``mask`` hides secrets in what is shown; ``kubectl`` is how a reader of the rows calls it. Raises ParityError as KubeReader does.
    """
    resources = {(one.group, one.kind): one for one in discovery.removable(reader)}
    placed = [replace(one, data=_placed(one.data, resources)) for one in rendered]
    around = Surroundings(frozenset(identities(one.data for one in placed)), frozenset(_hosts(one.data for one in placed)))
    whole = {(identity.group, identity.kind) for identity in around.identities} | _WATCHED
    with ThreadPoolExecutor(_REQUESTS) as pool:
        listed = dict(zip(resources, pool.map(lambda one: _listed(reader, one, whole), resources.values()), strict=True))
        live = {Identity.of(obj): obj for kind, items in listed.items() if kind in whole for obj in items}
        compare = _Comparison(reader, resources, live, mask)
        found = [row for some in pool.map(compare.of, placed) for row in some]
    strangers = [one for kind, items in listed.items() for one in around.inhabitants(resources[kind], _metadata(items, kind in whole))]
    shadows = [*around.shadows(listed.get(("networking.k8s.io", "Ingress"), ())), *around.bindings(live.values())]
    named = {one.identity for one in shadows}
    found += [_of_stranger(one, kubectl) for one in [*shadows, *(one for one in strangers if one.identity not in named)]]
    own = [live[identity] for identity in around.identities if identity in live]
    found += _late(listed.get(("", "Pod"), ()), own)
    return sorted(found)


@dataclass(frozen=True)
class _Comparison:
    """Compares one object after the other with what is ``live``."""

    reader: Reader
    resources: dict[tuple[str, str], Resource]
    live: dict[Identity, Object]
    mask: Mask

    def of(self, rendered: Rendered) -> list[Row]:
        """The rows of one object."""
        identity = Identity.of(rendered.data)
        name, found = str(identity), self.live.get(identity)
        if found is None:
            return [Row(name, "", "missing", "", rendered.file)]
        resource = self.resources[identity.group, identity.kind]
        try:
            wanted = self.reader.would_be(f"{resource.path(identity.namespace)}/{identity.name}", rendered.data, FIELD_MANAGER)
        except ParityError as error:
            if error.reason != "KUBE_API_REFUSED":
                raise
            return [Row(name, "", f"cannot become as rendered: {self.mask(error.seen)}", "", rendered.file)]
        secret = (identity.group, identity.kind) == ("", "Secret")
        told = [
            Row(name, one.field, shown(one.live, secret, self.mask), shown(one.wanted, secret, self.mask), rendered.file)
            for one in differences(found, wanted)
        ]
        for field in added(found, FIELD_MANAGER, wanted):
            value = shown(field.value_in(found), secret, self.mask)
            told.append(Row(name, field.field, f"{value}, added by {field.manager}", "", rendered.file))
        if not applied_at(found, FIELD_MANAGER):
            told.append(Row(name, "metadata.managedFields", f"nothing of it is applied by {FIELD_MANAGER}", "", rendered.file))
        return told


def _listed(reader: Reader, resource: Resource, whole: set[tuple[str, str]]) -> list[Object]:
    """All objects of a kind, or their metadata alone where no more is looked at."""
    if resource.kind in _PASSED_OVER:
        return []
    return discovery.objects(reader, resource) if (resource.group, resource.kind) in whole else discovery.metadata(reader, resource)


def _metadata(items: Sequence[Object], whole: bool) -> Iterator[Object]:
    return (item["metadata"] if whole else item for item in items)


def _placed(obj: Object, resources: dict[tuple[str, str], Resource]) -> Object:
    """An object with the namespace that it is applied to where it names none."""
    identity = Identity.of(obj)
    resource = resources.get((identity.group, identity.kind))
    if identity.namespace or resource is None or not resource.namespaced:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "namespace": "default"}}


def _hosts(rendered: Iterable[Object]) -> Iterator[str]:
    for obj in rendered:
        if obj["kind"] == "Ingress":
            yield from (str(rule["host"]) for rule in obj["spec"].get("rules") or [] if rule.get("host"))


def _of_stranger(one: Stranger, kubectl: str) -> Row:
    do = "{up}" if one.left_over else f"if nobody needs it: {kubectl} {one.removal}"
    return Row(str(one.identity), one.field, one.why, "", do=do)


def _late(pods: Sequence[Object], own: Sequence[Object]) -> list[Row]:
    return [
        Row(
            f"Pod {late.pod['metadata']['namespace']}/{late.pod['metadata']['name']}",
            "status.containerStatuses.state.running.startedAt",
            f"{late.started}, before {late.content.kind} {late.content.name} was set at {late.content.since}",
            "",
        )
        for late in outdated(pods, contents(own, FIELD_MANAGER))
    ]


def _masking(state_dir: Path) -> Mask:
    """Hides every secret of a run in a text, or all of it where not every secret can be read."""
    known = knowledge_of(state_dir)
    return (lambda _text: "(not shown)") if known.unknown else known.redact
