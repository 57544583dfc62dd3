# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply of Kustomize bases through kubectl (KEP-555).

kubectl does not say whether an apply changed anything, the objects do: the server
stamps what a field manager set with the second in which it last differed
(ManagedFieldsEntry.time of meta/v1). So one call applies and tells.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.accepted import Accepted
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.heal import restart_outdated, take_over
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.identity import Identity
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.ledger import Ledger
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.guard import own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import read_record
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.conditions import holds
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Reader
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import clean_env, run, tail

FIELD_MANAGER = "gpuaas.parity"
_SECONDS = 120
# What cannot be changed and holds nothing: a Job's template (a new image or setting means a new run of it), the role of
# a binding, and a ConfigMap or Secret that somebody marked as immutable.
_MADE_AGAIN = ("ClusterRoleBinding", "ConfigMap", "Job", "RoleBinding", "Secret")
_IMMUTABLE = ("field is immutable", "cannot change roleRef")
_REFUSED = re.compile(r'^The (\w+) "([^"]+)" is invalid:', re.MULTILINE)
# What pods refer to comes before them; kubectl keeps the order it is given.
_FIRST = (
    "Namespace",
    "PersistentVolumeClaim",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "IngressClass",
    "PersistentVolume",
    "DaemonSet",
    "StatefulSet",
    "Deployment",
    "Service",
)


@dataclass(frozen=True)
class Kubectl:
    """kubectl with an explicit kubeconfig; nothing ambient reaches it. ``validate`` is what becomes of unknown fields."""

    program: Path
    kubeconfig: Path
    cache: Path
    validate: str = "strict"

    def __call__(self, *arguments: str, input: str | None = None, check: bool = True) -> str:
        argv = [str(self.program), f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.cache}", *arguments]
        done = run(argv, input=input, timeout=_SECONDS, check=False, env=clean_env())
        if check and done.rc != 0:
            raise ParityError("APPLY_FAILED", tail(done.stderr) or f"kubectl {arguments[0]} ended with status {done.rc}")
        return done.stdout

    def build(self, bases: Sequence[Path], origins: bool = False) -> list[dict[str, Any]]:
        """The objects of Kustomize bases, by one build. Secrets stay in memory: their files lie beside the rendering.

        With ``origins`` each says in an annotation where it comes from (buildMetadata of a kustomization).
        """
        self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="apply-", dir=self.cache) as folder:
            # Kustomize takes relative paths only.
            resources = [os.path.relpath(base.resolve(), Path(folder).resolve()) for base in bases]
            marks = {"buildMetadata": ["originAnnotations"]} if origins else {}
            (Path(folder) / "kustomization.yaml").write_text(
                json.dumps({"resources": resources, "sortOptions": {"order": "fifo"}, **marks}), encoding="utf-8"
            )
            argv = [str(self.program), "kustomize", "--load-restrictor=LoadRestrictionsNone", folder]
            done = run(argv, timeout=_SECONDS, check=False, env=clean_env())
        if done.rc != 0:
            raise ParityError("APPLY_BASE_INVALID", f"{', '.join(map(str, bases))}: {tail(done.stderr)}")
        return [document for document in _yaml.load_all(done.stdout) if document]


@dataclass(frozen=True)
class Applied:
    """What an apply did: identities as ``Kind namespace/name``. ``restarted`` had read what was otherwise than it is now."""

    created: list[str]
    configured: list[str]
    unchanged: list[str]
    restarted: list[str] = field(default_factory=list)


def apply_to_own_cluster(
    program: Path, state_dir: Path, kubeconfig: Path, bases: Sequence[Path], cache_dir: Path, dry: bool = False
) -> Applied:
    """`apply` what ``bases`` are built to with the kubectl ``program``, once ``own_cluster`` has proved that the cluster is the run's own.

    Raises ParityError as ``own_cluster``, before anything is sent, ``APPLY_BASE_INVALID`` when a base cannot be built,
    and as ``apply``.
    """
    with own_cluster(state_dir, kubeconfig) as pinned, KubeReader.from_file(pinned) as reader:
        record = read_record(state_dir).record
        accepted = Accepted(cache_dir / "accepted-fields", record.kubernetes_version if record else "")
        kubectl = Kubectl(program, pinned, state_dir / "kubectl-cache")
        objects = kubectl.build(bases)
        if not dry:
            Ledger(state_dir).enter(bases, objects)
        return apply(kubectl, reader, objects, accepted, dry)


def apply(kubectl: Kubectl, reader: Reader, objects: Sequence[dict[str, Any]], accepted: Accepted, dry: bool = False) -> Applied:
    """Apply all ``objects`` at once and heal what that alone leaves; ``dry`` asks the server what it would do.

    Raises ParityError ``APPLY_FAILED`` with what the server said.
    """
    objects = _ordered(objects)
    text = _listed(objects)
    known = accepted.knows(objects)
    if known:
        kubectl = replace(kubectl, validate="ignore")
    # The server's clock is this machine's, and it writes whole seconds.
    began = int(time.time())
    if dry and not kubectl("get", "--filename=-", "--ignore-not-found", "--output=name", input=text).strip():
        # A dry run cannot see the namespaces that it only pretends to create.
        return Applied([str(Identity.of(o)) for o in objects], [], [])
    answers = _items(_server_side(kubectl, text, "--dry-run=server") if dry else _apply(kubectl, objects, text))
    if not dry:
        if not known:
            accepted.remember(objects)
        answers = _again(kubectl, objects, _without_foreign(kubectl, objects, answers))
    told = _told(objects, answers, began)
    return told if dry else replace(told, restarted=restart_outdated(kubectl, reader, answers, FIELD_MANAGER))


def _ordered(objects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Namespaces, then what has none, then namespace by namespace in the order of the bases: what is first there starts first.

    Jobs come last: they do something with what serves.
    """
    found = [o["metadata"].get("namespace", "") for o in objects]
    turns = {name: turn for turn, name in enumerate(["", *dict.fromkeys(filter(None, found))])}

    def turn(obj: dict[str, Any]) -> tuple[bool, bool, int, int]:
        kind = obj["kind"]
        rank = _FIRST.index(kind) if kind in _FIRST else len(_FIRST)
        return (kind != "Namespace", kind == "Job", turns[obj["metadata"].get("namespace", "")], rank)

    return sorted(objects, key=turn)


def _without_foreign(kubectl: Kubectl, objects: Sequence[dict[str, Any]], answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers, with what others added to an object removed from it: an apply alone leaves that."""
    names = {str(Identity.of(obj)) for obj in take_over(kubectl, answers, FIELD_MANAGER)}
    if not names:
        return answers
    healed = _items(_server_side(kubectl, _listed([o for o in objects if str(Identity.of(o)) in names])))
    return [*(item for item in answers if str(Identity.of(item)) not in names), *healed]


def _again(kubectl: Kubectl, objects: Sequence[dict[str, Any]], answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers, with Jobs that gave up made again: such a one never runs again by itself, and an apply means trying again."""
    failed = {str(Identity.of(item)) for item in answers if item["kind"] == "Job" and holds(item, "Failed")}
    if not failed:
        return answers
    jobs = [o for o in objects if str(Identity.of(o)) in failed]
    _delete(kubectl, jobs)
    made = _items(_server_side(kubectl, _listed(jobs)))
    return [*(item for item in answers if str(Identity.of(item)) not in failed), *made]


def _told(objects: Sequence[dict[str, Any]], answers: Sequence[dict[str, Any]], began: int) -> Applied:
    created = {str(Identity.of(item)) for item in answers if _at(item["metadata"]["creationTimestamp"]) >= began}
    configured = {str(Identity.of(item)) for item in answers if _set_at(item) >= began} - created
    names = [str(Identity.of(o)) for o in objects]
    return Applied(
        [name for name in names if name in created],
        [name for name in names if name in configured],
        [name for name in names if name not in created | configured],
    )


def _apply(kubectl: Kubectl, objects: Sequence[dict[str, Any]], text: str) -> str:
    try:
        return _server_side(kubectl, text)
    except ParityError as error:
        if not any(words in error.seen for words in _IMMUTABLE):
            raise
        # The message quotes the whole object, with the names of all that it refers to.
        refused = set(_REFUSED.findall(error.seen))
        made_again = [o for o in objects if o["kind"] in _MADE_AGAIN and (o["kind"], o["metadata"]["name"]) in refused]
        if not made_again:
            raise
        _delete(kubectl, made_again)
        return _server_side(kubectl, text)


def _server_side(kubectl: Kubectl, text: str, *more: str) -> str:
    return kubectl(
        "apply",
        "--server-side",
        f"--validate={kubectl.validate}",
        "--force-conflicts",
        f"--field-manager={FIELD_MANAGER}",
        "--output=json",
        "--show-managed-fields",
        "--filename=-",
        *more,
        input=text,
    )


def _delete(kubectl: Kubectl, objects: Sequence[dict[str, Any]]) -> None:
    kubectl("delete", "--filename=-", "--ignore-not-found", "--wait=true", input=_listed(objects))


def _listed(objects: Sequence[dict[str, Any]]) -> str:
    """What kubectl reads as one file."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def _items(text: str) -> list[dict[str, Any]]:
    if not text.strip():
        return []
    document = json.loads(text)
    return list(document["items"]) if document.get("kind") == "List" else [document]


def _at(stamp: str) -> float:
    """RFC 3339, in seconds since the epoch."""
    return datetime.fromisoformat(stamp).timestamp()


def _set_at(item: dict[str, Any]) -> float:
    """When anything that we set last differed from what was there; a server-side apply of it that changes nothing keeps it."""
    entries = item["metadata"].get("managedFields") or []
    ours = [_at(entry["time"]) for entry in entries if (entry["manager"], entry["operation"]) == (FIELD_MANAGER, "Apply")]
    return max(ours, default=0.0)
