# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether NetworkPolicy is enforced at this moment, as a pod finds out that tries what the policies allow and forbid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.inside import run_inside, said
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import KUBERNETES, Context, Observation, failed, passed

# Open: connected. Silent: nothing came back, as when a policy drops. Refused: nobody listens, or the name does not
# resolve, which says nothing about a policy. The allowed port is tried again at the end: so the way stood all along.
TRY = """\
try() {
  timeout 2 bash -c 'exec 3<> "/dev/tcp/$0/$1"' "$1" "$2" 2> /dev/null
  case $? in 0) echo open ;; 124) echo silent ;; *) echo refused ;; esac
}
echo "$(try "$0" "$1") $(try "$2" "$3") $(try "$0" "$1")"
"""
_SECONDS = 15.0


@dataclass(frozen=True)
class NetworkPolicy:
    """From the component's container, a canary with a bash, a connection that policies allow opens, and one that they
    forbid does not.

    Both ports should be of one process: while the allowed one answers, the silence of the other is the policies'.
    """

    targets: ClassVar[frozenset[str]] = KUBERNETES
    component: str
    allowed_host: str
    allowed_port: int
    denied_host: str
    denied_port: int

    def run(self, context: Context) -> Observation:
        allowed, denied = f"{self.allowed_host}:{self.allowed_port}", f"{self.denied_host}:{self.denied_port}"
        words = [self.allowed_host, str(self.allowed_port), self.denied_host, str(self.denied_port)]
        where, done = run_inside(context, self.component, ["/bin/bash", "-c", TRY, *words], _SECONDS)
        tried = done.stdout.split()
        if done.rc != 0 or len(tried) != 3:
            return failed("NETWORK_POLICY_UNPROVEN", f"{where} tried nothing, it ended with {done.rc}: {said(context, done)}")
        before, forbidden, after = tried
        if (before, after) != ("open", "open"):
            return failed("NETWORK_POLICY_UNPROVEN", f"{where} cannot reach what it may, {allowed}: {before}, then {after}")
        match forbidden:
            case "silent":
                return passed(f"enforced: {where} reaches {allowed}, and not {denied}")
            case "open":
                return failed("NETWORK_POLICY_NOT_ENFORCED", f"{where} reaches {denied}, which the policies forbid")
            case _:
                return failed("NETWORK_POLICY_UNPROVEN", f"nothing listens at {denied}: {forbidden} there proves nothing")
