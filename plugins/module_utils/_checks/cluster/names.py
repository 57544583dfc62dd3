# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as pods see them: asked of the cluster's DNS service, from its node."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.dns_message import Answer, answer, question
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed

# The service's address is reachable from the node through the same kube-proxy rules as from a pod.
# The node has no DNS tool, so bash speaks to the server over TCP; questions and answers travel as base64.
_ASK = """
server=$1; shift
for question in "$@"; do
  exec 3<>"/dev/tcp/$server/53" || exit 3
  printf %s "$question" | base64 -d >&3
  set -- $(head -c 2 <&3 | od -An -tu1)
  head -c $(($1 * 256 + $2)) <&3 | base64 -w0
  echo
  exec 3>&-
done
"""


def ask(context: Context, server: str, names: list[str], patience: float = 2.0) -> list[Answer] | None:
    """The DNS server's answers for names, in order; None when it does not give them all within ``patience`` seconds."""
    questions = [base64.b64encode(question(name)).decode() for name in names]
    command = ["exec", context.node, "timeout", f"{patience:g}", "bash", "-c", _ASK, "ask", server, *questions]
    done = context.docker.call(*command, timeout=patience + 5, check=False)
    lines = done.stdout.split()
    if done.rc != 0 or len(lines) != len(names):
        return None
    return [answer(base64.b64decode(line)) for line in lines]


@dataclass(frozen=True)
class ClusterNames:
    """Inside the cluster the names resolve to the cluster IP of ``service`` (``name.namespace``, or its full name).

    A name that does not exist must be answered within a second, too: an upstream resolver that never
    answers must not be waited for.
    """

    names: list[str]
    service: str
    server: str = "kube-dns.kube-system"
    unknown: str = "unknown.invalid"

    def _address(self, context: Context, service: str) -> str:
        name, namespace = service.split(".")[:2]
        found = context.snapshot.find("services", namespace, name)
        return str(((found or {}).get("spec") or {}).get("clusterIP") or "")

    def run(self, context: Context) -> Observation:
        server, wanted = (self._address(context, self.server), self._address(context, self.service))
        for name, address in ((self.server, server), (self.service, wanted)):
            if not address:
                return failed("CLUSTER_DNS_WRONG", f"service {name} has no cluster IP")
        answers = ask(context, server, self.names)
        if answers is None:
            return failed("CLUSTER_DNS_WRONG", f"{self.server} ({server}) does not answer on the node {context.node}")
        for name, found in zip(self.names, answers, strict=True):
            if found.addresses != (wanted,):
                got = ", ".join(found.addresses) or found.code
                return failed("CLUSTER_DNS_WRONG", f"{name} is {got} inside the cluster, not {self.service} ({wanted})")
        if ask(context, server, [self.unknown], patience=1.0) is None:
            return failed("CLUSTER_DNS_WRONG", f"{self.unknown} is not answered within a second inside the cluster")
        return passed(f"{', '.join(self.names)} are {self.service} ({wanted}) inside the cluster")
