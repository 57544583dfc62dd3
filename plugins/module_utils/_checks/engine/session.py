# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the probe, from parameters to results."""

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
