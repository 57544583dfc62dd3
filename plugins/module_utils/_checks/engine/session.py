# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the probe, from parameters to verdict."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import Engine, Progress
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Check, Context, InPod, Result, target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.parse import PROVES
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_realm, secret_reader
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.tokens import Tokens
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project, no_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.compare import drift_of_own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.rows import Row
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.in_pod import InPod as InOwnPod
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client, loopback_address, tls_context
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

# The wheel installs kubectl beside the interpreter, at the cluster's own minor version.
_KUBECTL = Path(sys.executable).parent / "kubectl"


@dataclass(frozen=True)
class Site:
    """Where the platform is: its contract, its state directory, its kubeconfig and its node's container.

    A contract whose target is not ``kubernetes`` needs neither kubeconfig nor node.
    """

    contract: dict[str, Any]
    state_dir: Path
    kubeconfig: Path | None = None
    node: str = ""


def _snapshots(site: Site, closing: ExitStack) -> Callable[[], Snapshot]:
    """What makes the snapshot of each tick; its client is open until ``closing`` ends."""
    if target_of(site.contract) != "kubernetes":
        return no_cluster
    if site.kubeconfig is None:
        raise ParityError("KUBECONFIG_INVALID", "no kubeconfig is given, and the contract is for a cluster", "give the option kubeconfig")
    reader = closing.enter_context(KubeReader.from_file(site.kubeconfig))
    return lambda: Snapshot(reader)


def no_pod(namespace: str, pod: str, container: str, command: Sequence[str], timeout: float) -> Completed:
    """The way into pods of a mode that has none."""
    del namespace, container, command, timeout
    raise ParityError("CLUSTER_ABSENT", f"pods/{pod}: this mode has no cluster")


def no_drift() -> list[Row]:
    """The comparison with the rendering in a mode that has no cluster."""
    raise ParityError("CLUSTER_ABSENT", "this mode has no cluster to compare")


def _drift(site: Site) -> Callable[[], list[Row]]:
    """The comparison of the cluster with the rendering."""
    kubeconfig = site.kubeconfig
    return no_drift if kubeconfig is None else lambda: drift_of_own_cluster(_KUBECTL, site.state_dir, kubeconfig)


def _in_pod(site: Site, closing: ExitStack) -> InPod:
    """The way into pods, which is closed when ``closing`` ends."""
    if site.kubeconfig is None:
        return no_pod
    return closing.enter_context(InOwnPod(_KUBECTL, site.state_dir, site.kubeconfig))


@contextmanager
def open_context(site: Site, heals: bool = False) -> Iterator[Context]:
    """The context of a run, with its clients open; ``heals`` is whether a check may put right what it finds.

    Raises ParityError for a kubeconfig that is needed and cannot be used, and for a CA that is missing.
    """
    ca_file = site.state_dir / "tls" / "ca.crt"
    try:
        http = client(ca_file, headers={"User-Agent": "gpuaas.parity probe"})
    except OSError as error:
        raise ParityError("TLS_INVALID", f"{ca_file}: {error}") from error
    with http, ExitStack() as closing:
        snapshots = _snapshots(site, closing)
        docker = Docker()
        yield Context(
            contract=site.contract,
            realm=read_realm(site.state_dir),
            state_dir=site.state_dir,
            snapshot=snapshots(),
            project=Project(docker, str(site.contract.get("project") or "")),
            http=http,
            docker=docker,
            tokens=Tokens(time.monotonic),
            secret=secret_reader(site.state_dir),
            clock=time.monotonic,
            sleep=time.sleep,
            node=site.node,
            renew=snapshots,
            reach=lambda host, port: (loopback_address(host), port),
            trust=lambda: tls_context(ca_file),
            in_pod=_in_pod(site, closing),
            drift=_drift(site),
            heals=heals,
        )


def run_checks(site: Site, checks: Sequence[Check], timeout: float, progress: Progress, heals: bool = False) -> list[Result]:
    """Make the checks against a site, once (``timeout`` 0) or until they hold; ``heals`` lets them put right what they find."""
    with open_context(site, heals) as context:
        engine = Engine(lambda: replace(context, snapshot=context.renew(), project=context.project.fresh()), time.monotonic, progress)
        return engine.run(checks, timeout)


def verdict(results: Sequence[Result], phase: str) -> ParityError | None:
    """The failure that the results add up to, None when every check holds.

    Its reason is that of the first check that failed by itself, readiness before all else and then in order
    of dependency: that one explains most of the others. Its text lists every failed check with what was seen
    and what to type, those with the same failure together. A run without checks proves nothing and fails.
    """
    if not results:
        return ParityError("CHECK_MISSING", f"there is no check of phase {phase}")
    bad = [result for result in results if not result.ok]
    if not bad:
        return None
    bad.sort(key=lambda result: (result.reason == "CHECK_UNFINISHED", PROVES.index(result.check.proves)))
    first = bad[0]
    lines = [f"{first.check.id}: {first.seen}"]
    if len(bad) > 1:
        lines.append(f"in all {len(bad)} of {len(results)} checks failed; the others:")
    same: dict[tuple[str, str, str], list[str]] = {}
    for result in bad[1:]:
        same.setdefault((result.reason, result.seen, result.do), []).append(result.check.id)
    for (reason, seen, do), ids in same.items():
        lines.append(f"  {', '.join(ids)}\n    {reason}: {seen}\n    -> {do}")
    return ParityError(first.reason, "\n".join(lines), first.do, {"checks": [result.as_dict() for result in results]})


def summary(results: Sequence[Result]) -> list[str]:
    """What was proved, a line for each component, and what is worth knowing although it holds."""
    by_component: dict[str, list[Result]] = {}
    for result in results:
        by_component.setdefault(result.check.component, []).append(result)
    width = max((len(name) for name in by_component), default=0)
    lines = []
    for name, own in by_component.items():
        proved = sorted({result.check.proves for result in own}, key=PROVES.index)
        count = f"{len(own)} check{'s' if len(own) > 1 else ''}"
        lines.append(f"  {name.ljust(width)}  {count:>9}  {', '.join(proved)}")
    return lines + [f"  {result.check.id}: {result.seen}" for result in results if "enforced" in result.details]
