# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few questions that are asked of the cluster's API: is it ready, who is it, what nodes has it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.kubeconfig import ca_digest
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.conditions import holds
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit, nobody
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.wait_report import WaitReport

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Identity:
    """Who answers: the uid of kube-system lives as long as the cluster and no longer."""

    uid: str
    version: str
    ca_sha256: str


class Api(Protocol):
    """A cluster's API behind one kubeconfig file; every method raises ParityError when it does not answer."""

    def identity(self, kubeconfig: Path) -> Identity:
        """Who answers, once /readyz is ok."""

    def nodes(self, kubeconfig: Path) -> list[dict[str, Any]]:
        """Every node: name, ready, version."""


class KubeApi:
    """The API over HTTPS with the client certificate of the kubeconfig."""

    def identity(self, kubeconfig: Path) -> Identity:
        with KubeReader.from_file(kubeconfig) as reader:
            reader.text("/readyz")
            version = reader.get("/version") or {}
            return replace(self.who(reader), version=str(version.get("gitVersion", "")))

    @staticmethod
    def who(reader: KubeReader) -> Identity:
        """Who answers, in one GET; the version is not asked for."""
        system = reader.read("namespaces", "kube-system")
        if system is None:
            raise ParityError("KUBE_API_UNREACHABLE", "the namespace kube-system does not exist yet")
        return Identity(str(system["metadata"]["uid"]), "", ca_digest(reader.kubeconfig))

    def nodes(self, kubeconfig: Path) -> list[dict[str, Any]]:
        with KubeReader.from_file(kubeconfig) as reader:
            return [_node(raw) for raw in reader.list("nodes")]


def _node(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": raw["metadata"]["name"],
        "ready": holds(raw, "Ready"),
        "version": raw["status"]["nodeInfo"]["kubeletVersion"],
    }


@dataclass(frozen=True)
class Waiting:
    """How to wait, and who is told; a test replaces the clock."""

    seconds: float
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    emit: Emit = nobody


def wait_for_api(api: Api, kubeconfig: Path, waiting: Waiting) -> Identity:
    """Poll until the API is ready. Raises ``CLUSTER_NOT_READY`` with the last thing that was seen."""
    begun = waiting.monotonic()
    report = WaitReport(waiting.emit, "Kubernetes API", waiting.seconds)
    attempts = 0
    while True:
        attempts += 1
        try:
            return api.identity(kubeconfig)
        except ParityError as error:
            last = error
        elapsed = waiting.monotonic() - begun
        if elapsed >= waiting.seconds:
            seen = f"no ready API within {waiting.seconds:g} s ({attempts} attempts); last: {last.seen}"
            raise ParityError("CLUSTER_NOT_READY", seen, details={"last_reason": last.reason, "attempts": attempts}) from last
        report.at(elapsed, last.seen)
        waiting.sleep(_POLL_SECONDS)
