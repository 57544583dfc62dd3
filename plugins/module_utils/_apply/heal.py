# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an apply does besides applying: take back what others added, and start again what read wrong values.

Who added what, and since when a ConfigMap holds what it holds, is in the answers of the apply. So a run with nothing
to heal costs one list of pods.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._drift.managers import added, taken_over
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.outdated import Outdated, contents, outdated
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Reader

Object = dict[str, Any]
Kubectl = Callable[..., str]
_RESTARTABLE = ("DaemonSet", "Deployment", "StatefulSet")


def take_over(kubectl: Kubectl, answers: Iterable[Object], manager: str) -> list[Object]:
    """Make ``manager`` the owner of what others added to applied objects, so that its next apply removes it.

    Returns the objects of which anything was taken over. Raises ParityError as ``kubectl``.
    """
    foreign = [obj for obj in answers if added(obj, manager, obj)]
    for obj in foreign:
        # A version that has changed since is refused: somebody writes at this moment.
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": obj["metadata"]["resourceVersion"]},
            {"op": "replace", "path": "/metadata/managedFields", "value": taken_over(obj, manager)},
        ]
        kubectl("patch", *_named(obj), "--type=json", "--patch-file=/dev/stdin", "--output=name", input=json.dumps(patch))
    return foreign


def restart_outdated(kubectl: Kubectl, reader: Reader, answers: Sequence[Object], manager: str) -> list[str]:
    """Roll every workload that has a pod which may have read something else than is there now; ``Kind namespace/name`` of each.

    One that rolls already, since it was itself changed, is left to it. Raises ParityError as ``kubectl`` and KubeReader do.
    """
    read = contents(answers, manager)
    late = outdated(reader.list("pods"), read) if read else []
    if not late:
        return []
    sets = {("ReplicaSet", obj["metadata"]["namespace"], obj["metadata"]["name"]): obj for obj in reader.list("replicasets")}
    rolling = {_key(obj) for obj in answers if obj["kind"] in _RESTARTABLE and _rolls(obj)}
    wanted = dict.fromkeys(key for one in late if (key := _workload(one, sets))[0] in _RESTARTABLE and key not in rolling)
    for kind, namespace, name in wanted:
        kubectl("rollout", "restart", f"{kind.lower()}/{name}", f"--namespace={namespace}")
    return [f"{kind} {namespace}/{name}" for kind, namespace, name in wanted]


def _workload(late: Outdated, sets: dict[tuple[str, str, str], Object]) -> tuple[str, str, str]:
    """Kind, namespace and name of what a pod belongs to: for one of a ReplicaSet, what that belongs to."""
    kind, name = late.owner
    namespace = str(late.pod["metadata"]["namespace"])
    if kind == "ReplicaSet":
        owners = sets.get((kind, namespace, name), {}).get("metadata", {}).get("ownerReferences") or [{}]
        kind, name = str(owners[0].get("kind", "")), str(owners[0].get("name", ""))
    return kind, namespace, name


def _rolls(obj: Object) -> bool:
    return int((obj.get("status") or {}).get("observedGeneration") or 0) < int(obj["metadata"].get("generation") or 0)


def _key(obj: Object) -> tuple[str, str, str]:
    return str(obj["kind"]), str(obj["metadata"].get("namespace", "")), str(obj["metadata"]["name"])


def _named(obj: Object) -> list[str]:
    """How kubectl is told of one object."""
    group = str(obj["apiVersion"]).rpartition("/")[0]
    namespace = obj["metadata"].get("namespace")
    kind = f"{obj['kind']}.{group}" if group else str(obj["kind"])
    return [kind, str(obj["metadata"]["name"]), *([f"--namespace={namespace}"] if namespace else [])]
