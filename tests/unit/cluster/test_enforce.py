# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that puts NetworkPolicies into force, as its container types it: rules only while somebody judges."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
SCRIPT = CHECKOUT / "platform/components/network-policies/kubernetes/enforce.sh"
QUEUES = "/proc/net/netfilter/nfnetlink_queue"
HOOKED = ["INPUT -j GPUAAS-POLICIES-IN", "POSTROUTING -j GPUAAS-POLICIES-OUT"]
SECONDS = 30.0

# One line of `jumps` for each rule that leads to our chains; `chains` holds what was restored.
IPTABLES = """\
[ "$1 $2 $3 $4" = "--wait 5 --table mangle" ] || exit 2
shift 4
case $1 in
  -A) echo "$2 $3 $4" >> jumps ;;
  -C) grep -qx -- "$2 $3 $4" jumps ;;
  -D) grep -qx -- "$2 $3 $4" jumps && { grep -vx -- "$2 $3 $4" jumps > rest; mv rest jumps; } ;;
  -L) [ -s chains ] ;;
esac
"""
RESTORE = "[ ! -e refuses ] && cat > chains"
# Listens once it may, and ends well when it is interrupted.
DAEMON = """\
trap 'rm -f queues; echo well > ended; exit 0' INT
echo $$ > pid
until [ -e may-listen ]; do [ ! -e must-fail ] || exit 7; sleep 0.02; done
echo '  100   4242     0 2   128     0     0        0  1' > queues
while :; do sleep 0.02; done
"""


class Node:
    """What the script finds on a node, in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "bin").mkdir()
        for name, text in {"iptables": IPTABLES, "iptables-restore": RESTORE, "kube-network-policies": DAEMON}.items():
            path = directory / "bin" / name
            path.write_text(f"#!/bin/bash\n{text}")
            path.chmod(0o755)
        self["jumps"] = ""
        text = SCRIPT.read_text(encoding="utf-8")
        assert QUEUES in text
        self["enforce.sh"] = text.replace(QUEUES, "queues")
        self.started: list[subprocess.Popen[bytes]] = []

    def __setitem__(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)

    @property
    def jumps(self) -> list[str]:
        return sorted((self.directory / "jumps").read_text().splitlines())

    def has(self, name: str) -> bool:
        return (self.directory / name).exists()

    def run(self, *words: str) -> subprocess.Popen[bytes]:
        environment = {"PATH": f"{self.directory}/bin:{os.environ['PATH']}", "NODE_NAME": "node", "POD_CIDR": "10.244.0.0/16"}
        # Whoever starts tests in the background has them ignore SIGINT, and so would the daemon.
        argv = ["env", "--default-signal=INT", "/bin/bash", "enforce.sh", *words]
        done = subprocess.Popen(argv, cwd=self.directory, env=environment, start_new_session=True)
        self.started.append(done)
        return done

    def is_ready(self) -> bool:
        return self.run("ready").wait(SECONDS) == 0

    def kill_daemon(self) -> None:
        os.kill(int((self.directory / "pid").read_text()), signal.SIGKILL)
        (self.directory / "queues").unlink()

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    found = Node(tmp_path)
    yield found
    for process in found.started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(SECONDS)


def in_force(node: Node) -> subprocess.Popen[bytes]:
    node["may-listen"] = ""
    running = node.run()
    node.until(lambda: node.jumps == HOOKED)
    return running


def test_nothing_is_queued_before_the_daemon_listens(node: Node) -> None:
    node.run()
    node.until(lambda: node.has("pid"))
    assert node.has("chains")
    assert node.jumps == []
    assert not node.is_ready()
    node["may-listen"] = ""
    node.until(lambda: node.jumps == HOOKED)
    assert node.is_ready()


def test_what_is_stopped_takes_its_rules_along(node: Node) -> None:
    running = in_force(node)
    running.send_signal(signal.SIGTERM)
    assert running.wait(SECONDS) == 0
    assert node.jumps == []
    assert node.has("ended")


def test_what_is_killed_leaves_its_rules_and_takes_them_up_again(node: Node) -> None:
    running = in_force(node)
    node.kill_daemon()
    assert running.wait(SECONDS) != 0
    assert node.jumps == HOOKED
    assert not node.is_ready()
    node.run()
    node.until(node.is_ready)
    assert node.jumps == HOOKED


def test_a_daemon_that_ends_before_it_listens_ends_the_container(node: Node) -> None:
    node["must-fail"] = ""
    assert node.run().wait(SECONDS) != 0
    assert node.jumps == []


def test_a_rule_that_somebody_removed_is_missed(node: Node) -> None:
    in_force(node)
    node["jumps"] = f"{HOOKED[0]}\n"
    assert not node.is_ready()


def test_a_kernel_without_a_queue_for_iptables_is_left_to_the_daemon(node: Node) -> None:
    node["refuses"] = ""
    node["may-listen"] = ""
    node.run()
    node.until(node.is_ready)
    assert node.jumps == []


def test_established_connections_the_kubelet_and_names_are_never_queued(node: Node) -> None:
    in_force(node)
    rules = [line for line in (node.directory / "chains").read_text().splitlines() if line.startswith("-A GPUAAS-POLICIES-OUT")]
    assert [rule.split(" -j ")[1].split()[0] for rule in rules] == ["RETURN", "RETURN", "RETURN", "NFQUEUE", "NFQUEUE"]
    assert "--ctstate ESTABLISHED,RELATED" in rules[0]
    assert "--uid-owner 0" in rules[1]
    # To a pod alone: names of another server are asked of whom a policy allows.
    assert "-p udp --dport 53 -d 10.244.0.0/16" in rules[2]
    assert not any("--queue-bypass" in rule for rule in rules)
