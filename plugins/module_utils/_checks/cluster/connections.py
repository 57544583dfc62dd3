# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that are opened in the networks of pods: all of them by one command on the node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# A container need not have a shell or a client, so the node's own enter its network, where its policies hold. Names are
# resolved as in the pod: with its resolv.conf, laid over the node's for this one process.
_OPEN = r"""
seconds=$1 tasks=$(ctr --namespace k8s.io tasks list)
shift
connect() { timeout "$seconds" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$2" "$3" 2> /dev/null; }
inside() {
  process=$(awk -v id="$1" '$1 == id {print $2}' <<< "$tasks")
  [ -n "$process" ] || return
  names=$(mktemp)
  cat "/proc/$process/root/etc/resolv.conf" > "$names"
  export -f connect
  export seconds
  nsenter --target "$process" --net unshare --mount bash -c 'mount --bind "$0" /etc/resolv.conf && connect "$@"' "$names" "$@"
  local ended=$?
  rm -f "$names"
  return "$ended"
}
number=0
while [ $# -gt 0 ]; do
  if [ "$1" = - ]; then connect "$1" "$2" "$3"; else inside "$1" "$2" "$3"; fi && echo "$number" &
  number=$((number + 1))
  shift 3
done
wait
"""


@dataclass(frozen=True)
class Connection:
    """A connection to ``host`` and ``port`` that is opened in the network of the container ``inside``, or of the node where that is empty.

    ``source`` and ``target`` name the ends in messages.
    """

    source: str
    inside: str
    host: str
    port: int
    target: str

    def __str__(self) -> str:
        return f"{self.source} cannot connect to {self.target} port {self.port}"


def refused(context: Context, wanted: Sequence[Connection], seconds: float) -> list[Connection]:
    """Those connections that do not open within ``seconds``. Raises ParityError ``PATH_CLOSED`` when none could be tried."""
    ends = [text for one in wanted for text in (one.inside or "-", one.host, str(one.port))]
    command = ["exec", context.node, "bash", "-c", _OPEN, "connections", f"{seconds:g}", *ends]
    done = context.docker.call(*command, timeout=seconds + 10, check=False)
    if done.rc != 0:
        raise ParityError("PATH_CLOSED", f"nothing could be tried on the node {context.node}: {done.stderr.strip()[-200:] or done.rc}")
    opened = set(map(int, done.stdout.split()))
    return [one for number, one in enumerate(wanted) if number not in opened]
