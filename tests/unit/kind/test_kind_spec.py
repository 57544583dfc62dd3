# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kind configuration, and what kind says while it works."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.progress import KindProgress
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import ClusterSpec, PortMap, kind_config
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Event, Wait


def config(spec: ClusterSpec) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(kind_config(spec))
    return parsed


def patches(spec: ClusterSpec) -> dict[str, dict[str, Any]]:
    return {patch["kind"]: patch for patch in map(yaml.safe_load, config(spec)["kubeadmConfigPatches"])}


def test_everything_is_on_loopback(spec: ClusterSpec) -> None:
    found = config(spec)
    assert found["networking"]["apiServerAddress"] == "127.0.0.1"
    assert found["nodes"] == [
        {
            "role": "control-plane",
            "image": spec.node_image,
            "extraPortMappings": [{"containerPort": 8443, "hostPort": 8443, "listenAddress": "127.0.0.1", "protocol": "TCP"}],
        }
    ]


def test_coredns_is_left_to_our_manifest_and_preflight_stays_skipped(spec: ClusterSpec) -> None:
    assert patches(spec)["InitConfiguration"]["skipPhases"][:2] == ["preflight", "addon/coredns"]


def test_what_the_only_control_plane_need_not_wait_for(spec: ClusterSpec) -> None:
    found = patches(spec)
    control_plane = found["ClusterConfiguration"]
    # A patch without a version would be merged into a configuration that has no lists of arguments.
    assert control_plane["apiVersion"] == "kubeadm.k8s.io/v1beta4"
    manager = {item["name"]: item["value"] for item in control_plane["controllerManager"]["extraArgs"]}
    assert manager["leader-elect"] == "false"
    # kind's own argument, which makes volumes of any directory of the node: nobody claims one.
    assert "enable-hostpath-provisioner" not in manager
    skipped = found["InitConfiguration"]["skipPhases"]
    # `preflight` is skipped by kind itself, in the list that ours replaces. `bootstrap-token` must not be: it also
    # lets the API server ask the kubelet for logs.
    assert skipped == ["preflight", "addon/coredns", "addon/kube-proxy", "wait-control-plane", "upload-config", "kubelet-finalize"]


def test_kind_need_not_restart_containerd(spec: ClusterSpec) -> None:
    assert "containerdConfigPatches" not in config(replace(spec, cgroup_version=1))


def test_directories_of_the_node_are_part_of_its_configuration(spec: ClusterSpec) -> None:
    assert replace(spec, directories=("/var/local/db",)).settings_sha256() != spec.settings_sha256()


def test_an_ordinary_host_gets_no_patch_of_its_own(spec: ClusterSpec) -> None:
    assert "KubeletConfiguration" not in patches(spec)
    assert config(spec)["networking"]["disableDefaultCNI"] is False


def test_a_restricted_host_is_configured_for(spec: ClusterSpec) -> None:
    restricted = replace(spec, cgroup_version=1, default_cni=False)
    assert patches(restricted)["KubeletConfiguration"]["failCgroupV1"] is False
    assert config(restricted)["networking"]["disableDefaultCNI"] is True


def test_the_configuration_does_not_depend_on_the_order_of_ports(spec: ClusterSpec) -> None:
    one, two = PortMap(1, 1), PortMap(2, 2)
    assert kind_config(replace(spec, ports=(one, two))) == kind_config(replace(spec, ports=(two, one)))


def test_the_settings_digest_leaves_image_and_ports_out(spec: ClusterSpec) -> None:
    assert replace(spec, node_image="x", ports=()).settings_sha256() == spec.settings_sha256()
    assert replace(spec, cgroup_version=1).settings_sha256() != spec.settings_sha256()


def test_each_step_is_told_in_plain_words() -> None:
    shown: list[Event] = []
    clock = iter([0.0, 1.2, 9.6, 11.0])
    progress = KindProgress("c", shown.append, lambda: next(clock))
    for line in (
        'Creating cluster "c" ...',
        " • Ensuring node image (x) 🖼  ...",
        " ✓ Ensuring node image (x) 🖼",
        " • Starting control-plane 🕹️  ...",
        " ✗ Starting control-plane 🕹️",
        "ERROR: failed",
    ):
        progress.line(line)
    assert shown == [
        Wait("cluster c", 1.2, "ensuring node image (x)"),
        Wait("cluster c", 9.6, "starting control-plane"),
        Wait("cluster c", 11.0, "starting control-plane FAILED"),
    ]
    assert progress.step == "starting control-plane"
