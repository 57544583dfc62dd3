# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster shall be, and the kind configuration that says so.

etcd keeps its fsync: `unsafe-no-fsync` would make creation a little faster, but
after a power cut the whole cluster, with the data in it, could be lost.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml

# Set by kind on every node container, kind:pkg/cluster/internal/providers/docker/constants.go.
CLUSTER_LABEL = "io.x-k8s.kind.cluster"
# Set by us on the cluster's own network: who made it, from which state directory.
OWNER_LABEL = "gpuaas.parity/owner"
STATE_LABEL = "gpuaas.parity/state-dir"
API_PORT = 6443


# What kubeadm's defaults cost a control plane of one node, where nobody shares the API server:
# - some fifteen RSA keys, which take longer than all else that kubeadm does itself;
# - a lease that is asked for before the API server grants anything, and again 2 s later;
# - 20 requests a second for forty controllers that each ask for a token before they start.
# A patch that names its version is passed over by a node whose kubeadm speaks another.
# The list drops kind's own argument, `enable-hostpath-provisioner`: volumes are directories that a component was given.
_CONTROL_PLANE: dict[str, Any] = {
    "apiVersion": "kubeadm.k8s.io/v1beta4",
    "kind": "ClusterConfiguration",
    "encryptionAlgorithm": "ECDSA-P256",
    "controllerManager": {
        "extraArgs": [
            {"name": "leader-elect", "value": "false"},
            {"name": "kube-api-qps", "value": "200"},
            {"name": "kube-api-burst", "value": "400"},
        ]
    },
    "scheduler": {"extraArgs": [{"name": "leader-elect", "value": "false"}]},
}
# Phases of kubeadm that only cost time where nobody joins:
# - waiting for the control plane twice a second, although each phase after it tries until it is answered;
# - the configuration that other nodes would read: six requests, and kubeadm sends five in a second;
# - a newer certificate for the kubelet, which restarts it; the old one lives as long as the cluster's others.
_WAITS = ("wait-control-plane", "upload-config", "kubelet-finalize")
# kubeadm's names of its add-ons. A platform brings its own, right from the start: to change them later would restart them.
_OURS = ("addon/coredns", "addon/kube-proxy")


@dataclass(frozen=True, order=True)
class PortMap:
    """``listen:host_port`` of this machine leads to ``node_port`` of the node."""

    host_port: int
    node_port: int
    listen: str = "127.0.0.1"

    def __str__(self) -> str:
        return f"{self.listen}:{self.host_port}->{self.node_port}"


@dataclass(frozen=True)
class ClusterSpec:
    """One node, its image and its ports.

    ``default_cni`` is false for a node image that brings its own CNI
    configuration. ``cgroup_version`` is the host's, see `host_preflight_info`.
    """

    name: str
    node_image: str
    ports: tuple[PortMap, ...] = ()
    directories: tuple[str, ...] = ()
    default_cni: bool = True
    cgroup_version: int = 2

    @property
    def network(self) -> str:
        """The cluster's own Docker network, so that nothing shared is left when it goes."""
        return self.name

    @property
    def node(self) -> str:
        """The name that kind gives the container of the one node."""
        return f"{self.name}-control-plane"

    def settings_sha256(self) -> str:
        """A digest of all that is not an image or a port: those are compared on their own."""
        return hashlib.sha256(json.dumps([_patches(self), self.default_cni, self.directories], sort_keys=True).encode()).hexdigest()


def kind_config(spec: ClusterSpec) -> str:
    """The kind configuration (kind.x-k8s.io/v1alpha4) of ``spec`` as YAML, the same bytes every time."""
    node: dict[str, Any] = {"role": "control-plane", "image": spec.node_image}
    if spec.ports:
        node["extraPortMappings"] = [
            {"containerPort": p.node_port, "hostPort": p.host_port, "listenAddress": p.listen, "protocol": "TCP"}
            for p in sorted(spec.ports)
        ]
    config: dict[str, Any] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": spec.name,
        "networking": {"apiServerAddress": "127.0.0.1", "ipFamily": "ipv4", "disableDefaultCNI": not spec.default_cni},
        "nodes": [node],
        **_patches(spec),
    }
    return yaml.safe_dump(config, sort_keys=False, default_flow_style=False)


def _patches(spec: ClusterSpec) -> dict[str, list[str]]:
    """Patches of kubeadm's configuration.

    kind applies one as a JSON merge patch (RFC 7386, kind:pkg/internal/patch),
    which replaces lists: `preflight`, which kind skips itself, must be named
    again. containerd has none: kind would restart it to read them.
    """
    kubeadm: list[dict[str, Any]] = [{"kind": "InitConfiguration", "skipPhases": ["preflight", *_OURS, *_WAITS]}, _CONTROL_PLANE]
    if spec.cgroup_version == 1:
        # The kubelet refuses cgroup v1 since 1.35 unless told.
        kubeadm.append({"kind": "KubeletConfiguration", "failCgroupV1": False})
    return {"kubeadmConfigPatches": [yaml.safe_dump(patch, sort_keys=False) for patch in kubeadm]}
