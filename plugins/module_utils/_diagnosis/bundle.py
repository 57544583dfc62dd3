# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything needed to diagnose a failed run, in one file that can be handed to somebody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.archive import file_name, write_archive
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.cluster import Reader, collect_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.contain import Contained
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.files import collect_files
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.gather import Found, Gathering
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.host import collect_host
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.manifest import manifest
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.node import collect_node, pod_logs_on_disk
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.project import collect_project
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.redaction import Knowledge, knowledge_of
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Runner, run
from ansible_collections.gpuaas.parity.plugins.module_utils._run.state_dir import make_state_dir

# All texts together, before compression.
WHOLE_CHARACTERS = 96 * 1024 * 1024


@dataclass(frozen=True)
class Failure:
    """What failed: the run's ``verb``, the ``reason`` id and the text the user saw."""

    verb: str
    reason: str
    text: str


@dataclass(frozen=True)
class Bundle:
    """``path`` of the bundle, or why there is none; ``missed`` is what could not be collected, and why."""

    path: Path | None
    problem: str = ""
    missed: list[tuple[str, str]] = field(default_factory=list)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Sources:
    """Where a bundle comes from. ``run``, ``connect`` and ``now`` are what a test replaces; times are seconds.

    Without a kubeconfig, and where the rendered contract's target is ``compose``, that is a Compose project; else it
    is the cluster of the kubeconfig and its node's container.
    """

    state_dir: Path
    kubeconfig: Path | None = None
    node: str = ""
    run: Runner = run
    connect: Callable[[Path], Reader] = KubeReader.from_file
    now: Callable[[], datetime] = _now
    each: float = 10.0
    whole: float = 30.0


def write_bundle(sources: Sources, failure: Failure) -> Bundle:
    """Collect what can be had, redact it and write ``state_dir/bundles/<utc time>-<verb>.tar.gz``.

    Never raises: this runs while another failure is being reported, and must not hide it.
    """
    now = sources.now()
    with Contained() as outcome:
        make_state_dir(sources.state_dir)
        found, knowledge = _collect(sources)
        texts, missed = _ready(found, knowledge, failure, now)
        path = write_archive(sources.state_dir / "bundles", file_name(failure.verb, now), texts, now)
        return Bundle(path, missed=missed)
    return Bundle(None, outcome.why)


def _collect(sources: Sources) -> tuple[Found, Knowledge]:
    gathering = Gathering(each=sources.each, whole=sources.whole)
    knowledge = knowledge_of(sources.state_dir, sources.kubeconfig)
    collect_host(gathering, sources.run)
    if knowledge.unknown:
        # Fail closed: a secret that we cannot read is one that we cannot recognise.
        for what in ("files of the state directory", "project", "node", "cluster"):
            gathering.miss(what, f"left out, since it could not be redacted: cannot read {', '.join(knowledge.unknown)}")
        return gathering.finish(), knowledge
    collect_files(gathering, sources.state_dir)
    if sources.kubeconfig is None or _is_project(sources.state_dir):
        collect_project(gathering, sources.run, lambda: str(read_contract(sources.state_dir).get("project") or ""))
    else:
        _collect_cluster(gathering, sources, sources.kubeconfig)
    return gathering.finish(), knowledge


def _is_project(state_dir: Path) -> bool:
    try:
        return target_of(read_contract(state_dir)) == "compose"
    except ParityError:
        return False


def _collect_cluster(gathering: Gathering, sources: Sources, kubeconfig: Path) -> None:
    collect_node(gathering, sources.run, sources.node)
    collect_cluster(
        gathering,
        lambda: sources.connect(kubeconfig),
        lambda: pod_logs_on_disk(gathering, sources.run, sources.node),
    )


def _ready(found: Found, knowledge: Knowledge, failure: Failure, now: datetime) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The texts as they are written, MANIFEST.txt first, and what is missing."""
    missed = [(what, knowledge.redact(why)) for what, why in found.missed]
    texts = {"failure.txt": knowledge.redact(f"{failure.reason}\n\n{failure.text}\n")}
    room = WHOLE_CHARACTERS
    for path in sorted(found.texts, key=lambda path: (path != "SUMMARY.txt", path)):
        text = knowledge.redact(found.texts[path])
        if len(text) > room:
            missed.append((path, f"left out: the bundle is full ({WHOLE_CHARACTERS} characters)"))
            continue
        room -= len(text)
        texts[path] = text
    head = knowledge.redact(manifest(failure.verb, failure.reason, now, texts, missed))
    return {"MANIFEST.txt": head, **texts}, missed
