# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster is brought to the state that is asked for from every state it can be found in."""

from __future__ import annotations

import functools
import json
import stat
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind import converge
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.create import create
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.info import cluster_info
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import read_record, write_record
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import (
    OWNER_LABEL,
    STATE_LABEL,
    ClusterSpec,
    PortMap,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Wait
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import process_name


def present(world: Any, spec: ClusterSpec, *, check_mode: bool = False) -> converge.Outcome:
    creator = functools.partial(create, streamer=world.stream)
    return converge.present(world.site, spec, world.waiting, check_mode=check_mode, creator=creator)


def absent(world: Any, spec: ClusterSpec, *, check_mode: bool = False) -> converge.Outcome:
    return converge.absent(world.site, spec, check_mode=check_mode)


def refused(act: Callable[..., object], *arguments: Any) -> ParityError:
    with pytest.raises(ParityError) as caught:
        act(*arguments)
    return caught.value


def node(world: Any) -> dict[str, Any]:
    (found,) = world.containers.values()
    container: dict[str, Any] = found
    return container


def test_directories_for_volumes_are_made_in_the_new_node(world: Any, spec: ClusterSpec) -> None:
    present(world, replace(spec, directories=("/var/local/a", "/var/local/b")))
    made = ["docker", "exec", spec.node, "install", "-d", "-m", "0777", "/var/local/a", "/var/local/b"]
    assert made in world.calls
    world.calls.clear()
    present(world, replace(spec, directories=("/var/local/a", "/var/local/b")))
    assert made not in world.calls


def test_a_missing_cluster_is_created_and_recorded(world: Any, spec: ClusterSpec) -> None:
    done = present(world, spec)
    assert (done.before, done.after, done.changed) == ("absent", "running", True)
    assert done.identity is not None and done.identity.uid == "uid-1"
    record = read_record(world.state_dir).record
    assert record is not None
    assert (record.phase, record.uid, record.containers) == ("ready", "uid-1", (node(world)["Id"],))
    (network,) = world.networks.values()
    assert network["Labels"] == {OWNER_LABEL: record.owner, STATE_LABEL: str(world.state_dir)}
    for name in ("kubeconfig", "cluster.json", "kind-config.yaml"):
        assert stat.S_IMODE((world.state_dir / name).stat().st_mode) == 0o600
    assert world.events[0] == Wait("cluster gpuaas-parity", 0.0, "preparing nodes")


def test_kind_is_given_our_kubeconfig_and_never_the_users(world: Any, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/me/.kube/config")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    seen: dict[str, str] = {}
    real = world.stream

    def spy(argv: Any, on_line: Any, **options: Any) -> Any:
        seen.update(options["env"])
        return real(argv, on_line, **options)

    converge.present(world.site, spec, world.waiting, creator=functools.partial(create, streamer=spy))
    assert seen["KUBECONFIG"] == str(world.kubeconfig)
    assert "HTTPS_PROXY" not in seen
    (argv,) = [call for call in world.calls if call[:2] == ["kind", "create"]]
    assert "--retain" in argv and argv[argv.index("--kubeconfig") + 1] == str(world.kubeconfig)


def test_a_cluster_that_stands_is_left_alone(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    world.calls.clear()
    done = present(world, spec)
    assert not done.changed and done.drift == () and done.identity is not None
    assert world.writes() == []


def test_a_stopped_cluster_is_started(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    assert converge.stopped(world.site, spec).changed
    assert node(world)["State"]["Status"] == "exited"
    assert not converge.stopped(world.site, spec).changed
    world.unready = 3
    done = present(world, spec)
    assert (done.before, done.actions) == ("stopped", ("start gpuaas-parity-control-plane",))
    assert node(world)["State"]["Status"] == "running"


def test_a_paused_cluster_is_unpaused(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    node(world)["State"]["Status"] = "paused"
    assert present(world, spec).actions == ("unpause gpuaas-parity-control-plane",)
    assert ["docker", "unpause", node(world)["Id"]] in world.calls


def test_a_cluster_that_cannot_be_started_says_why(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    converge.stopped(world.site, spec)
    world.fail["start"] = "Error response from daemon: driver failed: port is already allocated"
    error = refused(present, world, spec)
    assert error.reason == "CLUSTER_START_FAILED" and "already allocated" in error.seen


def test_a_lost_kubeconfig_is_written_anew(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    before = world.kubeconfig.read_text()
    world.kubeconfig.unlink()
    assert present(world, spec).actions == ("write the kubeconfig again",)
    assert world.kubeconfig.read_text() == before
    assert stat.S_IMODE(world.kubeconfig.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "clusters: []\n", "just words\n"])
def test_a_broken_kubeconfig_is_written_anew(world: Any, spec: ClusterSpec, text: str) -> None:
    present(world, spec)
    world.kubeconfig.write_text(text)
    assert present(world, spec).changed
    assert not present(world, spec).changed


def test_a_kubeconfig_with_a_former_port_is_corrected(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    node(world)["HostConfig"]["PortBindings"]["6443/tcp"][0]["HostPort"] = "40999"
    assert present(world, spec).actions == ("point the kubeconfig to the port of the node",)
    assert "40999" in world.kubeconfig.read_text()


def test_a_running_node_that_does_not_answer_is_restarted_once(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    world.unready = 10**6
    done = present(world, spec)
    assert done.actions == ("restart the node, whose API did not answer",)
    assert len([call for call in world.calls if call[1] == "restart"]) == 1


def test_an_api_that_never_answers_is_told_with_the_last_error(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    converge.stopped(world.site, spec)
    world.unready = 10**6
    error = refused(present, world, spec)
    assert error.reason == "CLUSTER_NOT_READY"
    assert "connection refused" in error.seen and "10 s" in error.seen
    assert error.details["attempts"] > 10


def test_another_cluster_behind_the_kubeconfig_is_refused(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    world.uid = "uid-2"
    assert refused(present, world, spec).reason == "CLUSTER_NOT_OURS"


def test_drift_is_reported_and_nothing_recreated(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    was = node(world)["Id"]
    world.images[spec.node_image] = "sha256:" + "2" * 64
    wanted = replace(spec, ports=(PortMap(9443, 8443),), cgroup_version=1)
    done = present(world, wanted)
    assert not done.changed
    assert [drift.what for drift in done.drift] == ["node image", "ports", "configuration"]
    assert "9443" in done.drift[1].wanted and "8443" in done.drift[1].found
    assert "{reset}" in str(done.drift[0])
    assert node(world)["Id"] == was


def test_an_image_of_another_name_is_drift_even_if_it_is_not_here(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    done = present(world, replace(spec, node_image="elsewhere/node:1"))
    assert [(drift.what, drift.wanted) for drift in done.drift] == [("node image", "elsewhere/node:1")]


def test_a_missing_node_image_is_named_before_anything_is_made(world: Any, spec: ClusterSpec) -> None:
    world.images.clear()
    error = refused(present, world, spec)
    assert error.reason == "CLUSTER_IMAGE_MISSING" and spec.node_image in error.seen
    assert world.writes() == []


def test_an_interrupt_while_creating_is_made_good_by_the_next_run(world: Any, spec: ClusterSpec) -> None:
    world.interrupt = True
    with pytest.raises(KeyboardInterrupt):
        present(world, spec)
    was = node(world)["Id"]
    record = read_record(world.state_dir).record
    assert record is not None and record.phase == "creating"
    world.interrupt = False
    done = present(world, spec)
    assert done.before == "half-made" and done.after == "running"
    assert node(world)["Id"] != was
    assert len(world.networks) == 1 and len(world.volumes) == 1


def test_an_interrupt_before_the_network_leaves_a_record_of_whose_it_was_to_be(
    world: Any, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = world._network

    def interrupted(argv: Any) -> Any:
        if argv[0] != "create":
            return network(argv)
        record = read_record(world.state_dir).record
        assert record is not None and f"{OWNER_LABEL}={record.owner}" in argv
        network(argv)
        raise KeyboardInterrupt

    monkeypatch.setattr(world, "_network", interrupted)
    with pytest.raises(KeyboardInterrupt):
        present(world, spec)
    monkeypatch.setattr(world, "_network", network)
    # Another state directory's label: only the record tells that the network is ours.
    for made in world.networks.values():
        made["Labels"][STATE_LABEL] = "/elsewhere"
    assert present(world, spec).after == "running"


def test_a_kind_process_that_outlived_its_run_is_ended_first(world: Any, spec: ClusterSpec) -> None:
    orphan = subprocess.Popen(["sleep", "60"])
    world.interrupt = True
    with pytest.raises(KeyboardInterrupt):
        present(world, spec)
    record = read_record(world.state_dir).record
    assert record is not None
    write_record(world.state_dir, record.made_by(process_name(orphan.pid)))
    world.interrupt = False
    present(world, spec)
    assert orphan.wait(10) != 0


def test_a_failed_creation_names_its_log_and_keeps_the_evidence(world: Any, spec: ClusterSpec) -> None:
    world.kind_fails = "chatter\nERROR: failed to create cluster: failed to init node with kubeadm\nmore\n"
    error = refused(present, world, spec)
    assert error.reason == "CLUSTER_CREATE_FAILED"
    assert "preparing nodes" in error.seen and "kubeadm" in error.seen
    assert "kind-create.log" in error.do
    assert len(world.containers) == 1
    world.kind_fails = ""
    assert present(world, spec).before == "half-made"


def test_a_port_that_was_taken_meanwhile_is_told_as_such(world: Any, spec: ClusterSpec) -> None:
    world.kind_fails = "docker: Error response from daemon: Bind for 127.0.0.1:8443 failed: port is already allocated.\n"
    assert refused(present, world, spec).reason == "HOST_PORT_IN_USE"


def test_a_missing_kind_program_is_told_as_such(world: Any, spec: ClusterSpec) -> None:
    def nothing(*_arguments: Any, **_options: Any) -> Any:
        raise ParityError("COMMAND_MISSING", "cannot start kind")

    with pytest.raises(ParityError) as caught:
        converge.present(world.site, spec, world.waiting, creator=functools.partial(create, streamer=nothing))
    assert caught.value.reason == "CLUSTER_CREATE_FAILED" and "cannot start kind" in caught.value.seen


def test_a_cluster_whose_nodes_somebody_removed_is_created_again(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    world.containers.clear()
    assert present(world, spec).before == "absent"
    assert len(world.networks) == 1


def test_check_mode_changes_nothing(world: Any, spec: ClusterSpec) -> None:
    assert present(world, spec, check_mode=True).actions == ("create the cluster",)
    assert not absent(world, spec, check_mode=True).changed
    assert world.writes() == [] and list(world.state_dir.iterdir()) == []
    present(world, spec)
    world.calls.clear()
    assert absent(world, spec, check_mode=True).changed
    assert converge.stopped(world.site, spec, check_mode=True).changed
    node(world)["State"]["Status"] = "exited"
    assert present(world, spec, check_mode=True).changed
    assert world.writes() == []


def test_removal_leaves_nothing_and_can_be_repeated(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    assert absent(world, spec).changed
    assert (world.containers, world.networks, world.volumes) == ({}, {}, set())
    for name in ("kubeconfig", "cluster.json", "kind-config.yaml"):
        assert not (world.state_dir / name).exists()
    assert not absent(world, spec).changed


def test_a_half_made_cluster_is_removed(world: Any, spec: ClusterSpec) -> None:
    world.interrupt = True
    with pytest.raises(KeyboardInterrupt):
        present(world, spec)
    assert absent(world, spec).before == "half-made"
    assert (world.containers, world.networks, world.volumes) == ({}, {}, set())


def test_a_network_alone_is_removed_too(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    world.containers.clear()
    assert absent(world, spec).before == "remains"
    assert world.networks == {}


@pytest.mark.parametrize("kind", ["container", "network", "volume"])
def test_residue_is_an_error_that_names_it(world: Any, spec: ClusterSpec, kind: str) -> None:
    present(world, spec)
    left = {"container": node(world)["Id"], "network": next(iter(world.networks)), "volume": next(iter(world.volumes))}[kind]
    world.stuck.add(left)
    error = refused(absent, world, spec)
    assert error.reason == "CLUSTER_RESIDUE"
    assert error.details["residue"][0].startswith(f"{kind} ")
    world.stuck.clear()
    world.volumes.clear()
    assert absent(world, spec).changed


def test_a_cluster_of_that_name_that_is_not_ours_is_refused_before_any_write(world: Any, spec: ClusterSpec) -> None:
    world.add_node(world.add_network("kind", {}))
    for act in (present, absent, lambda w, s: converge.stopped(w.site, s)):
        error = refused(act, world, spec)
        assert error.reason == "CLUSTER_NOT_OURS" and "gpuaas-parity-control-plane" in error.seen
    assert world.writes() == [] and list(world.state_dir.iterdir()) == []


def test_the_cluster_of_another_checkout_names_it(world: Any, spec: ClusterSpec) -> None:
    world.add_node(world.add_network(spec.network, {OWNER_LABEL: "x", STATE_LABEL: "/home/you/.parity/kind"}))
    error = refused(present, world, spec)
    assert error.reason == "CLUSTER_NOT_OURS" and "/home/you/.parity/kind" in error.seen


def test_a_foreign_node_beside_ours_is_refused(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    world.add_node(world.add_network("kind", {}))
    assert refused(absent, world, spec).reason == "CLUSTER_NOT_OURS"
    assert len(world.containers) == 2


def test_a_foreign_network_of_our_name_is_refused(world: Any, spec: ClusterSpec) -> None:
    world.add_network(spec.network, {})
    assert refused(present, world, spec).reason == "CLUSTER_NOT_OURS"
    assert len(world.networks) == 1


def test_a_cluster_whose_state_is_lost_can_be_removed_and_not_used(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    for path in world.state_dir.iterdir():
        if path.is_file():
            path.unlink()
    error = refused(present, world, spec)
    assert error.reason == "CLUSTER_HALF_MADE" and error.do == "{reset}"
    assert absent(world, spec).changed
    assert (world.containers, world.networks) == ({}, {})


_DAMAGED = ["{", "[]", "{}", json.dumps({"name": "x", "owner": "", "phase": "ready", "containers": []})]


@pytest.mark.parametrize("text", _DAMAGED)
@pytest.mark.parametrize("status", ["running", "exited"])
def test_a_damaged_record_is_written_again_from_the_cluster(world: Any, spec: ClusterSpec, text: str, status: str) -> None:
    present(world, spec)
    before, made = read_record(world.state_dir).record, dict(world.containers)
    node(world)["State"]["Status"] = status
    (world.state_dir / "cluster.json").write_text(text)
    done = present(world, spec)
    assert done.actions[-1] == "write the record of the cluster again"
    after = read_record(world.state_dir).record
    assert before is not None and after is not None
    assert after == replace(before, maker=None, created=0.0, settings_sha256="")
    assert world.containers == made
    assert not present(world, spec).changed


def test_a_lost_record_is_written_again_where_the_secrets_are_there(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    (world.state_dir / "cluster.json").unlink()
    (world.state_dir / "secrets").mkdir()
    (world.state_dir / "secrets" / "secrets.yml").write_text("a: b\n")
    assert present(world, spec, check_mode=True).changed
    assert read_record(world.state_dir).record is None
    assert present(world, spec).changed
    assert read_record(world.state_dir).record is not None


def test_a_kubeconfig_beside_a_damaged_record_is_not_followed(world: Any, spec: ClusterSpec, make_kubeconfig: Callable[..., str]) -> None:
    present(world, spec)
    (world.state_dir / "cluster.json").write_text("{")
    world.kubeconfig.write_text(make_kubeconfig(ca="another"))
    present(world, spec)
    assert world.kubeconfig.read_text() == make_kubeconfig()


@pytest.mark.parametrize("text", _DAMAGED)
def test_a_cluster_with_a_damaged_record_can_be_removed(world: Any, spec: ClusterSpec, text: str) -> None:
    present(world, spec)
    (world.state_dir / "cluster.json").write_text(text)
    absent(world, spec)
    assert not (world.state_dir / "cluster.json").exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"host": "10.1.2.3"}, "10.1.2.3"),
        ({"host": "api.example.com"}, "api.example.com"),
        ({"ca": "another"}, "another CA"),
        ({"name": "production"}, "kind-production"),
    ],
)
def test_a_kubeconfig_that_leads_elsewhere_is_refused_before_any_write(
    world: Any, spec: ClusterSpec, make_kubeconfig: Callable[..., str], changes: dict[str, str], says: str
) -> None:
    present(world, spec)
    text = make_kubeconfig(**changes)
    world.kubeconfig.write_text(text)
    world.calls.clear()
    for act in (present, absent):
        error = refused(act, world, spec)
        assert error.reason == "KUBECONFIG_FOREIGN" and says in error.seen
    assert world.writes() == [] and world.kubeconfig.read_text() == text


def test_a_linked_kubeconfig_is_refused(world: Any, spec: ClusterSpec, tmp_path: Path) -> None:
    target = tmp_path / "users-own"
    target.write_text("x")
    world.kubeconfig.symlink_to(target)
    assert refused(present, world, spec).reason == "KUBECONFIG_FOREIGN"
    assert target.read_text() == "x"


def test_the_information_about_a_cluster(world: Any, spec: ClusterSpec) -> None:
    assert cluster_info(world.site, spec.name)["exists"] is False
    present(world, spec)
    found = cluster_info(world.site, spec.name)
    assert found["running"] and found["owned"] and found["api_ready"] and not found["half_made"]
    assert found["ports"] == [{"host_port": 8443, "node_port": 8443, "listen": "127.0.0.1"}]
    assert found["nodes"][0]["ready"]
    world.unready = 1
    unready = cluster_info(world.site, spec.name)
    assert not unready["api_ready"] and unready["api_problem"] == "connection refused"


def test_the_information_about_somebody_elses_cluster(world: Any, spec: ClusterSpec) -> None:
    world.add_node(world.add_network("kind", {}))
    found = cluster_info(world.site, spec.name)
    assert found["exists"] and not found["owned"] and found["uid"] == ""
