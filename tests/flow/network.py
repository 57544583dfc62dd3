"""A network that is slow or leads nowhere, made in a container's own network namespace.

The tools are those of the node image, in a helper container that is in that namespace and may administer it; the container
itself may not, and has no tools. A rate is limited with tbf rather than delayed with netem, which not every kernel has.
"""

from __future__ import annotations

import subprocess

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running, docker

from .engine import last, name
from .plan import Fault

# A TLS handshake takes a good second over it.
RATE = "rate 48kbit burst 2kb latency 2s"
_NODE = "gpuaas-parity/node"


class NoToolsError(LookupError):
    """The image with the tools is not here."""


def partition(project: Running, fault: Fault) -> None:
    """Nothing passes between two components, in either direction, also over connections that are there."""
    assert isinstance(fault.to, dict)
    struck, other = name(project, str(fault.to["of"])), name(project, str(fault.to["from"]))
    address = docker("inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", other)
    rules = (f"OUTPUT --destination {address} --jump DROP", f"INPUT --source {address} --jump DROP")
    _administer(struck, *(f"iptables --wait --insert {rule}" for rule in rules))
    try:
        last(fault.seconds)
    finally:
        _administer(struck, *(f"iptables --wait --delete {rule}" for rule in rules))


def slow(project: Running, fault: Fault) -> None:
    """What a component sends goes at the rate of a modem."""
    struck = name(project, str(fault.to))
    _administer(struck, f"tc qdisc add dev eth0 root tbf {RATE}")
    try:
        last(fault.seconds)
    finally:
        _administer(struck, "tc qdisc del dev eth0 root")


def image() -> str:
    """The newest node image. Raises NoToolsError."""
    if found := docker("images", "--quiet", _NODE).split():
        return found[0]
    raise NoToolsError("no node image, whose tools partition and slow down: LANE=async make kind-parity-up makes one")


def _administer(container: str, *commands: str) -> None:
    script = "set -e; " + "; ".join(commands)
    argv = ["run", "--rm", f"--network=container:{container}", "--cap-drop=ALL", "--cap-add=NET_ADMIN", "--user=0", "--entrypoint=sh"]
    try:
        docker(*argv, image(), "-c", script)
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{script}: {error.stderr.strip()}") from None
