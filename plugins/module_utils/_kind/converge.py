# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a cluster to the state that is asked for, with as little as that takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.api import Identity, Waiting, wait_for_api
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.cluster import Found, Site, can_recover, look, usable_record
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.create import create, kind_env
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.drift import Drift, find_drift
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.guard import refuse_other
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.observe import Ownership
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.recover import write_again
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.remove import anything_left, remove
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import ClusterSpec
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Note
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_text

# Long enough for systemd in the node to end the pods, so that databases close their files.
_STOP_SECONDS = 30


@dataclass(frozen=True)
class Outcome:
    """What was found, what is there now, and what was done about it (`actions`, in words)."""

    before: str
    after: str
    actions: tuple[str, ...] = ()
    drift: tuple[Drift, ...] = ()
    identity: Identity | None = None

    @property
    def changed(self) -> bool:
        return bool(self.actions)


Creator = Callable[[Site, ClusterSpec, Found, Waiting], Identity]


def present(site: Site, spec: ClusterSpec, waiting: Waiting, *, check_mode: bool = False, creator: Creator = create) -> Outcome:
    """Create what is missing, make again what was interrupted, start what is stopped, repair what a restart broke.

    A record that was damaged is written again from the cluster.

    A cluster that merely differs is reported as drift. Raises what `look`,
    `usable_record` and `create` raise, ``CLUSTER_START_FAILED`` and ``CLUSTER_NOT_READY``.
    """
    found = look(site, spec)
    usable_record(found, site.state_dir)
    if found.owner is Ownership.ABSENT or found.half_made:
        action = "remove the half-made cluster and create it again" if found.half_made else "create the cluster"
        identity = None if check_mode else creator(site, spec, found, waiting)
        return Outcome(found.state, "running", (action,), (), identity)
    drift = tuple(find_drift(spec, found.observed, found.remembered.record))
    actions = _needed(found)
    lost = can_recover(found, site.state_dir)
    if lost:
        actions.append("write the record of the cluster again")
    if check_mode:
        return Outcome(found.state, "running", tuple(actions), drift)
    _start(site, found)
    # Without a record nobody knows whose CA the file should trust.
    if lost or not found.kubeconfig.usable or _points_elsewhere(found):
        _write_kubeconfig(site, spec)
    identity, repaired = _await(site, found, waiting)
    if lost:
        write_again(site, spec, found, identity)
    if found.remembered.record:
        refuse_other(found.remembered.record, identity)
    return Outcome(found.state, "running", (*actions, *repaired), drift, identity)


def stopped(site: Site, spec: ClusterSpec, *, check_mode: bool = False) -> Outcome:
    """Stop the nodes; all that is in them stays. Nothing happens when there is no cluster, or none that runs."""
    found = look(site, spec)
    usable_record(found, site.state_dir)
    up = [node.id for node in found.observed.nodes if node.status not in ("exited", "created", "dead")]
    if not up:
        return Outcome(found.state, found.state)
    if not check_mode:
        site.docker.call("stop", "-t", str(_STOP_SECONDS), *up, timeout=_STOP_SECONDS + 60.0)
    return Outcome(found.state, "stopped", ("stop the node",))


def absent(site: Site, spec: ClusterSpec, *, check_mode: bool = False) -> Outcome:
    """Remove the cluster and everything that came with it, also half-made, also twice."""
    found = look(site, spec)
    if not anything_left(site, found):
        return Outcome("absent", "absent")
    if not check_mode:
        remove(site, spec, found)
    before = found.state if found.observed.nodes else "remains"
    return Outcome(before, "absent", ("remove the cluster, its network, volumes and files",))


def _needed(found: Found) -> list[str]:
    """What has to be done to a cluster that exists, in words."""
    actions = [f"{_VERBS.get(node.status, 'start')} {node.name}" for node in found.observed.nodes if node.status != "running"]
    if not found.kubeconfig.usable:
        actions.append("write the kubeconfig again")
    elif _points_elsewhere(found):
        actions.append("point the kubeconfig to the port of the node")
    return actions


_VERBS = {"paused": "unpause"}


def _points_elsewhere(found: Found) -> bool:
    ports = {node.api_port for node in found.observed.nodes if node.api_port}
    return bool(ports) and found.kubeconfig.server_port not in ports


def _start(site: Site, found: Found) -> None:
    for status, verb in (("paused", "unpause"), ("", "start")):
        ids = [n.id for n in found.observed.nodes if n.status != "running" and (n.status == "paused") == (status == "paused")]
        if not ids:
            continue
        try:
            site.docker.call(verb, *ids, timeout=120.0)
        except ParityError as error:
            if error.reason != "COMMAND_FAILED":
                raise
            raise ParityError("CLUSTER_START_FAILED", error.seen, details=error.details) from error


def _write_kubeconfig(site: Site, spec: ClusterSpec) -> None:
    """Kind reads it from the node and puts the published port in."""
    done = site.runner([site.kind, "get", "kubeconfig", "--name", spec.name], timeout=30.0, env=kind_env(site, spec))
    write_text(site.kubeconfig, done.stdout)


def _await(site: Site, found: Found, waiting: Waiting) -> tuple[Identity, list[str]]:
    """Wait for the API. A node that ran all along and does not answer is restarted once: a crash, nothing lost."""
    if not found.observed.running:
        return wait_for_api(site.api, site.kubeconfig, waiting), []
    try:
        return wait_for_api(site.api, site.kubeconfig, replace(waiting, seconds=waiting.seconds / 2)), []
    except ParityError as error:
        site.emit(Note(f"cluster: {error.seen}; restarting the node"))
    site.docker.call("restart", "-t", str(_STOP_SECONDS), *(node.id for node in found.observed.nodes), timeout=_STOP_SECONDS + 60.0)
    return wait_for_api(site.api, site.kubeconfig, waiting), ["restart the node, whose API did not answer"]
