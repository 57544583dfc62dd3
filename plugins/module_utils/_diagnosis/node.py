# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the node container knows: its journal, kubelet, containerd, disk and network."""

from __future__ import annotations

from functools import partial

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.commands import COMMAND_SECONDS, command_text
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.gather import Gathering
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Runner, clean_env, failed

_JOURNAL = ("journalctl", "--no-pager", "--output=short-iso")
_INSIDE: dict[str, tuple[str, ...]] = {
    "journal": (*_JOURNAL, "-n", "5000"),
    "kubelet": (*_JOURNAL, "-n", "2000", "-u", "kubelet"),
    "containerd": (*_JOURNAL, "-n", "2000", "-u", "containerd"),
    "failed-units": ("systemctl", "--no-pager", "--failed"),
    "images": ("ctr", "-n", "k8s.io", "images", "ls"),
    "containers": ("ctr", "-n", "k8s.io", "tasks", "ls"),
    "disk": ("df", "-h"),
    "addresses": ("ip", "address"),
    "processes": ("ps", "-eo", "pid,ppid,stat,etime,rss,comm"),
}
# Logs as the kubelet writes them: all there is when the API server does not answer.
_POD_LOGS = 'cd /var/log/pods 2>/dev/null && for f in */*/*.log; do echo "==> $f <=="; tail -n 300 "$f"; done'


def collect_node(gathering: Gathering, run: Runner, node: str) -> None:
    """Begin the collection of node facts, under ``node/`` of the bundle; ``node`` is its container's name."""
    gathering.start("node", lambda: _collect(gathering, run, node))


def _collect(gathering: Gathering, run: Runner, node: str) -> None:
    # First, by itself: without the container every other attempt would only repeat its absence.
    inspect = ("docker", "inspect", "--type", "container", node)
    done = run(inspect, timeout=COMMAND_SECONDS, check=False, env=clean_env())
    if done.rc != 0:
        raise failed(inspect, done)
    gathering.add("node/inspect.json", done.stdout)
    gathering.text("node/console.txt", partial(command_text, run, ("docker", "logs", "--tail", "2000", node)))
    for name, argv in _INSIDE.items():
        gathering.text(f"node/{name}.txt", partial(command_text, run, ("docker", "exec", node, *argv)))


def pod_logs_on_disk(gathering: Gathering, run: Runner, node: str) -> None:
    """Begin the collection of the pods' logs from the node's disk, for when the API does not name the pods."""
    gathering.text("node/pod-logs.txt", partial(_pod_logs, run, node))


def _pod_logs(run: Runner, node: str) -> str:
    text = command_text(run, ("docker", "exec", node, "sh", "-c", _POD_LOGS))
    if not text.strip():
        raise ParityError("CLUSTER_ABSENT", f"the node {node} holds no pod logs")
    return text
