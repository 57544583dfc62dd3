"""The node is reachable from this machine alone and shows no secret."""

from __future__ import annotations

import json
import socket

import pytest

from .running import Object, Running


@pytest.fixture(scope="module")
def inspected(running: Running) -> Object:
    return dict(json.loads(running.host.check_output("docker inspect --type container %s", running.node))[0])


def test_the_node_runs(inspected: Object) -> None:
    assert inspected["State"]["Running"]


def test_every_published_port_is_on_loopback(inspected: Object) -> None:
    asked = [binding for bindings in inspected["HostConfig"]["PortBindings"].values() for binding in bindings]
    real = [binding for bindings in inspected["NetworkSettings"]["Ports"].values() for binding in bindings or []]
    assert asked
    assert real
    assert {binding["HostIp"] for binding in [*asked, *real]} == {"127.0.0.1"}


def test_nothing_answers_on_the_machines_other_addresses(running: Running, inspected: Object) -> None:
    ports = {int(binding["HostPort"]) for bindings in inspected["NetworkSettings"]["Ports"].values() for binding in bindings or []}
    own = running.host.check_output("hostname -I").split()
    for address in own:
        for port in ports:
            with pytest.raises(OSError):
                socket.create_connection((address, port), timeout=2).close()


def test_docker_shows_no_secret(inspected: Object, running: Running) -> None:
    assert running.leaks(json.dumps(inspected)) == []


def test_no_command_line_holds_a_secret(running: Running) -> None:
    inside = running.on_node("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
    # Else an empty answer would pass.
    assert "kubelet" in inside
    outside = running.host.run("cat /proc/[0-9]*/cmdline").stdout
    assert running.leaks(inside) == []
    assert running.leaks(outside) == []


def test_the_logs_of_the_pods_hold_no_secret(running: Running) -> None:
    logs = running.on_node("cat /var/log/pods/*/*/*.log")
    assert logs
    assert running.leaks(logs) == []


def test_the_journal_of_the_node_holds_no_secret(running: Running) -> None:
    journal = running.on_node("journalctl --no-pager -n 20000")
    assert journal
    assert running.leaks(journal) == []


def test_the_node_and_its_network_are_labelled(running: Running, inspected: Object) -> None:
    cluster = running.node.removesuffix("-control-plane")
    assert inspected["Config"]["Labels"]["io.x-k8s.kind.cluster"] == cluster
    networks = json.loads(running.host.check_output("docker network inspect %s", " ".join(inspected["NetworkSettings"]["Networks"])))
    assert [network["Labels"].get("gpuaas.parity/owner") is not None for network in networks] == [True]


def test_no_pod_waited_for_its_image_to_be_unpacked(running: Running) -> None:
    journal = running.on_node("journalctl --no-pager --unit containerd")
    assert "starting containerd" in journal
    assert [line for line in journal.splitlines() if "is not unpacked" in line] == []


def test_on_cgroup_v1_no_container_is_started_through_systemd(running: Running) -> None:
    """There runc's systemd driver freezes what it starts, and fails on a busy machine."""
    places = running.on_node("find /sys/fs/cgroup -maxdepth 4 -name '*kubepods*'").split()
    assert places
    v2 = running.on_node("test -e /sys/fs/cgroup/cgroup.controllers && echo yes || echo no").strip() == "yes"
    assert {place.endswith(".slice") for place in places} == {v2}
