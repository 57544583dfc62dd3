# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove a cluster from whatever state it is in, and prove that nothing is left.

The containers are removed as kind does it (`docker rm -f -v`, the `DeleteNodes`
of its Docker provider), so that `down` works where the kind program was never
built. Kind leaves its network; we do not.
"""

from __future__ import annotations

import contextlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.cluster import Found, Site
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.observe import our_networks
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import Record, forget
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import CLUSTER_LABEL, ClusterSpec
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import is_alive

CONFIG = "kind-config.yaml"
_REMOVE_SECONDS = 120.0


def anything_left(site: Site, found: Found) -> bool:
    """Whether there is something to remove."""
    files = (site.kubeconfig, site.state_dir / CONFIG)
    record = found.remembered.record is not None or bool(found.remembered.corrupt)
    networks = our_networks(found.observed, found.remembered.record, site.state_dir)
    return bool(found.observed.nodes or networks or record or any(file.exists() for file in files))


def remove(site: Site, spec: ClusterSpec, found: Found) -> None:
    """Remove containers, volumes, network and files. Raises ``CLUSTER_RESIDUE`` naming what is left.

    The record goes last: an interrupted removal can be taken up again.
    """
    remove_from_docker(site, found)
    for file in (site.kubeconfig, site.state_dir / CONFIG):
        with contextlib.suppress(FileNotFoundError):
            file.unlink()
    residue = find_residue(site, spec, found)
    if residue:
        raise ParityError("CLUSTER_RESIDUE", f"left: {', '.join(residue)}", details={"residue": residue})
    forget(site.state_dir)


def remove_from_docker(site: Site, found: Found) -> None:
    """Remove the node containers with their volumes, and our network."""
    record = found.remembered.record
    end_maker(record)
    ids = [node.id for node in found.observed.nodes]
    if ids:
        # A container that went in the meantime is as good as removed; find_residue has the last word.
        site.docker.call("rm", "--force", "--volumes", *ids, timeout=_REMOVE_SECONDS, check=False)
    networks = our_networks(found.observed, record, site.state_dir)
    if networks:
        site.docker.call("network", "rm", *networks, timeout=_REMOVE_SECONDS, check=False)


def find_residue(site: Site, spec: ClusterSpec, found: Found) -> list[str]:
    """What of the cluster still exists: containers, our network, the nodes' volumes, files."""
    docker = site.docker
    volumes = [volume for node in found.observed.nodes for volume in node.volumes]
    networks = our_networks(found.observed, found.remembered.record, site.state_dir)
    by_label = f"label={CLUSTER_LABEL}={spec.name}"
    with ThreadPoolExecutor(max_workers=3) as pool:
        nodes = pool.submit(docker.lines, "ps", "--all", "--filter", by_label, "--format", "container {{.Names}}")
        nets = pool.submit(docker.objects, "network", networks)
        vols = pool.submit(docker.objects, "volume", volumes)
        left = [
            *nodes.result(),
            *(f"network {raw['Name']}" for raw in nets.result()),
            *(f"volume {raw['Name']}" for raw in vols.result()),
        ]
    files = (site.kubeconfig, Path(f"{site.kubeconfig}.lock"), site.state_dir / CONFIG)
    return left + [f"file {file}" for file in files if file.exists()]


def end_maker(record: Record | None) -> None:
    """End a kind process that outlived the run that started it, before what it makes is removed under it."""
    if record and record.maker and is_alive(record.maker):
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.maker.pid, signal.SIGKILL)
