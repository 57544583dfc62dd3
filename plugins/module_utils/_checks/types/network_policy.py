# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether NetworkPolicy is enforced, as a pod found out that tried what the policies forbid."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import KUBERNETES, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.pods import blocker, last_words

_POLL = 0.5


@dataclass(frozen=True)
class NetworkPolicy:
    """Read the verdict of the component, a canary: it reached what is allowed, then tried what is denied.

    It is a job that writes it to its termination log, as {"allowed": "open", "denied": "silent"}.

    Not enforced is reported and passes, since a node built from packages cannot enforce (no network plugin
    that does is in a package registry); ``expect: enforced`` makes it a failure. No verdict is a failure;
    a canary that still runs is given ``within`` seconds.
    """

    targets: ClassVar[frozenset[str]] = KUBERNETES
    component: str
    expect: str = "any"
    within: float = 45

    def __post_init__(self) -> None:
        if self.expect not in ("any", "enforced"):
            raise ValueError("expect is neither any nor enforced")

    def run(self, context: Context) -> Observation:
        deadline = context.clock() + self.within
        snapshot, namespace = context.snapshot, str(context.service(self.component)["namespace"])
        while True:
            pods = snapshot.pods(namespace, {"batch.kubernetes.io/job-name": self.component})
            if not pods:
                return failed("NETWORK_POLICY_UNPROVEN", f"job {namespace}/{self.component} has no pod")
            message = last_words(pods[-1])
            if message:
                return self._verdict(message)
            found = blocker(pods[-1])
            if found.grace is not None or context.clock() >= deadline:
                return failed("NETWORK_POLICY_UNPROVEN", found.seen)
            context.sleep(_POLL)
            snapshot = context.renew()

    def _verdict(self, message: str) -> Observation:
        try:
            found = {str(key): str(value) for key, value in json.loads(message).items()}
            allowed, denied = found["allowed"], found["denied"]
        except (ValueError, KeyError, AttributeError):
            return failed("NETWORK_POLICY_UNPROVEN", f"the canary said {message[:120]!r}")
        if allowed != "open":
            return failed("NETWORK_POLICY_UNPROVEN", f"the canary could not reach what it may: {allowed}")
        if denied == "silent":
            return passed("enforced: the canary cannot reach what the policies forbid", enforced=True)
        if denied == "open":
            seen = "not enforced: the canary reaches what the policies forbid"
            if self.expect == "enforced":
                return failed("NETWORK_POLICY_UNPROVEN", seen, enforced=False)
            return passed(f"{seen} (this node's network plugin has no policies)", enforced=False)
        return failed("NETWORK_POLICY_UNPROVEN", f"the canary's verdict is {denied!r}")
