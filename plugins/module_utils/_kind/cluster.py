# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as a run sees it: where its things lie, what was found, and the refusals that come before any write."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.api import Api, KubeApi
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.guard import refuse_file, refuse_target
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.kubeconfig import KubeconfigFile, read_kubeconfig
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.observe import Observed, Ownership, observe, ownership
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import CREATING, Remembered, read_record
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import ClusterSpec
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Runner, run
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit, nobody


@dataclass(frozen=True)
class Site:
    """Where a cluster's things lie and how its programs are started. ``kind`` is the path of the kind program."""

    state_dir: Path
    kubeconfig: Path
    kind: str = "kind"
    runner: Runner = run
    api: Api = field(default_factory=KubeApi)
    emit: Emit = nobody

    @property
    def docker(self) -> Docker:
        """Docker through the same runner."""
        return Docker(self.runner)


@dataclass(frozen=True)
class Found:
    """All that was found, by reading alone."""

    observed: Observed
    remembered: Remembered
    owner: Ownership
    kubeconfig: KubeconfigFile

    @property
    def half_made(self) -> bool:
        """Ours, and interrupted while it was made."""
        record = self.remembered.record
        return self.owner is Ownership.OURS and record is not None and record.phase == CREATING

    @property
    def state(self) -> str:
        """`absent`, `half-made`, `running` or `stopped`."""
        if self.owner is Ownership.ABSENT:
            return "absent"
        if self.half_made:
            return "half-made"
        return "running" if self.observed.running else "stopped"


def look(site: Site, spec: ClusterSpec) -> Found:
    """Read everything and refuse what is not ours.

    Raises ``MODE_TARGET_REFUSED``, ``CLUSTER_NOT_OURS`` and ``KUBECONFIG_FOREIGN``; nothing has been written by then.
    """
    refuse_target(site.state_dir)
    refuse_file(site.state_dir, site.kubeconfig)
    observed = observe(site.docker, spec.name, spec.network, spec.node_image)
    remembered = read_record(site.state_dir)
    record = remembered.record
    owner = ownership(observed, record, site.state_dir)
    if owner is Ownership.FOREIGN:
        raise not_ours(spec, observed)
    known_ca = record.ca_sha256 if record and owner is Ownership.OURS else ""
    return Found(observed, remembered, owner, read_kubeconfig(site.kubeconfig, spec.name, known_ca))


def not_ours(spec: ClusterSpec, observed: Observed) -> ParityError:
    """The refusal that names the containers and, when a network tells, the checkout they belong to."""
    names = ", ".join(node.name for node in observed.nodes)
    elsewhere = next((net.state_dir for net in observed.networks if net.state_dir), "")
    seen = f"a kind cluster {spec.name} exists ({names}) that was not made from this state directory"
    if elsewhere:
        do = f"run {{down}} in the checkout of {elsewhere}, or take a name of your own: {{up}} INSTANCE=two"
        return ParityError("CLUSTER_NOT_OURS", f"{seen}, but from {elsewhere}", do)
    return ParityError(
        "CLUSTER_NOT_OURS",
        seen,
        f"take a name of your own: {{up}} INSTANCE=two; or, if nobody needs it: kind delete cluster --name {spec.name}",
    )


def can_recover(found: Found, state_dir: Path) -> bool:
    """Whether the record of a cluster of ours is damaged or gone, and can be written again: the rest of the run is there."""
    tokens = any(net.owner for net in found.observed.networks if net.state_dir == str(state_dir))
    lost = bool(found.remembered.corrupt) or (state_dir / "secrets" / "secrets.yml").exists()
    return found.owner is Ownership.ORPHAN and tokens and lost


def usable_record(found: Found, state_dir: Path) -> None:
    """Refuse a cluster of ours whose record is gone with all else that is needed to use it.

    Raises ``CLUSTER_HALF_MADE``.
    """
    if found.owner is not Ownership.ORPHAN or can_recover(found, state_dir):
        return
    seen = f"the cluster was made from {state_dir}, whose record of it and its secrets are gone"
    raise ParityError("CLUSTER_HALF_MADE", seen)
