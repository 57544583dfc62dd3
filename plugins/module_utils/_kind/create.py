# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create a cluster with kind, so that an interrupt at any moment can be told from somebody else's cluster."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.api import Identity, Waiting, wait_for_api
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.cluster import Found, Site
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.observe import networks_named, observe
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.progress import KindProgress
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import CREATING, READY, Record, write_record
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.remove import CONFIG, remove_from_docker
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import (
    OWNER_LABEL,
    STATE_LABEL,
    ClusterSpec,
    kind_config,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed, clean_env, tail
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_text
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import process_name
from ansible_collections.gpuaas.parity.plugins.module_utils._run.stream import stream

LOG = "logs/kind-create.log"
_PORT_TAKEN = ("address already in use", "port is already allocated", "ports are not available")
_MTU = "com.docker.network.driver.mtu"

Streamer = Callable[..., Completed]


def create(site: Site, spec: ClusterSpec, found: Found, waiting: Waiting, streamer: Streamer = stream) -> Identity:
    """Remove what a former attempt of ours left, create, wait for the API, and record who was made.

    Raises ``CLUSTER_IMAGE_MISSING``, ``CLUSTER_CREATE_FAILED``, ``HOST_PORT_IN_USE`` and ``CLUSTER_NOT_READY``.
    What a failed attempt leaves is kept for the diagnosis, and marked: the next one removes it.
    """
    if not found.observed.node_image_id:
        raise ParityError("CLUSTER_IMAGE_MISSING", f"the engine has no image {spec.node_image}")
    remove_from_docker(site, found)
    with contextlib.suppress(FileNotFoundError):
        site.kubeconfig.unlink()
    former = found.remembered.record
    record = Record(spec.name, former.owner if former else uuid.uuid4().hex, CREATING)
    write_record(site.state_dir, record)
    _make_network(site, spec, record)
    _run_kind(site, spec, record, waiting, streamer)
    if spec.directories:
        # Any user's, as a provisioner of such volumes makes them: nobody but pods sees the inside of the node.
        site.docker.call("exec", spec.node, "install", "-d", "-m", "0777", *spec.directories)
    site.kubeconfig.chmod(0o600)
    identity = wait_for_api(site.api, site.kubeconfig, waiting)
    made = observe(site.docker, spec.name, spec.network)
    record = replace(
        record,
        phase=READY,
        containers=tuple(node.id for node in made.nodes),
        uid=identity.uid,
        ca_sha256=identity.ca_sha256,
        kubernetes_version=identity.version,
        node_image=spec.node_image,
        settings_sha256=spec.settings_sha256(),
        created=time.time(),
    )
    write_record(site.state_dir, record)
    return identity


def _make_network(site: Site, spec: ClusterSpec, record: Record) -> None:
    """The network that kind would make (kind:pkg/cluster/internal/providers/docker/network.go), with our labels.

    Only IPv4: an engine without ip6tables refuses more, and nothing here needs it.
    """
    standing = networks_named(site.docker, spec.network)
    if standing and all(net.owner == record.owner for net in standing):
        return
    if standing:
        whose = next((net.state_dir for net in standing if net.state_dir), "nobody that says so")
        seen = f"a Docker network {spec.network} exists that belongs to {whose}"
        raise ParityError(
            "CLUSTER_NOT_OURS",
            seen,
            f"take a name of your own: {{up}} INSTANCE=two; or, if nobody needs it: docker network rm {spec.network}",
        )
    docker = site.docker
    mtu = docker.call("network", "inspect", "bridge", "--format", f'{{{{ index .Options "{_MTU}" }}}}', check=False).stdout.strip()
    options = ["com.docker.network.bridge.enable_ip_masquerade=true", *([f"{_MTU}={mtu}"] if mtu.isdigit() else [])]
    labels = [f"{OWNER_LABEL}={record.owner}", f"{STATE_LABEL}={site.state_dir}"]
    flags = [word for option in options for word in ("--opt", option)] + [word for label in labels for word in ("--label", label)]
    docker.call("network", "create", "--driver", "bridge", *flags, spec.network)


def _run_kind(site: Site, spec: ClusterSpec, record: Record, waiting: Waiting, streamer: Streamer) -> None:
    config = site.state_dir / CONFIG
    log = site.state_dir / LOG
    write_text(config, kind_config(spec))
    progress = KindProgress(spec.name, site.emit, waiting.monotonic)
    # --retain: kind must not tidy up by name what a later attempt may have made under that name.
    # --wait 0s: what needs a node waits for it; most of what follows does not.
    command = [site.kind, "create", "cluster", "--name", spec.name, "--config", str(config)]
    command += ["--kubeconfig", str(site.kubeconfig), "--retain", "--wait", "0s"]
    try:
        streamer(
            command,
            progress.line,
            timeout=max(waiting.seconds, 60.0) + 120.0,
            env=kind_env(site, spec),
            log=log,
            on_start=lambda pid: write_record(site.state_dir, record.made_by(process_name(pid))),
        )
    except ParityError as error:
        raise _explain(error, log, progress.step) from error


def kind_env(site: Site, spec: ClusterSpec) -> dict[str, str]:
    """kind's environment: our kubeconfig and network, and nothing of the user's shell.

    Proxy variables stay out too: kind would write them into the node.
    """
    return clean_env(
        {
            "KUBECONFIG": str(site.kubeconfig),
            "KIND_EXPERIMENTAL_PROVIDER": "docker",
            "KIND_EXPERIMENTAL_DOCKER_NETWORK": spec.network,
        }
    )


def _explain(error: ParityError, log: Path, step: str) -> ParityError:
    if error.reason == "COMMAND_MISSING":
        return ParityError("CLUSTER_CREATE_FAILED", error.seen, "{up}   # builds the kind program")
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    taken = next((line.strip() for line in said.splitlines() if any(mark in line for mark in _PORT_TAKEN)), "")
    if taken:
        return ParityError("HOST_PORT_IN_USE", taken[:400])
    why = next((line for line in said.splitlines() if line.startswith("ERROR:")), "") or tail(said, 3) or error.seen
    seen = f"while {step or 'it began'}: {why[:400]}"
    do = f"read {log}; {{up}} starts over"
    return ParityError("CLUSTER_CREATE_FAILED", seen, do, {"log": str(log), "tail": tail(said, 40), "cause": error.reason})
