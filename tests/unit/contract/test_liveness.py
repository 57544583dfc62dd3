# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody is restarted for being busy: that takes away what is under load, and gives the rest its load."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gpuaas.parity.tests.unit.contract.reference import PLATFORM

# Seconds: for an answer on a machine whose processors are all taken, and until somebody who gives none is given up.
ANSWER, GIVEN_UP = 5, 30

PROBES: dict[str, dict[str, Any]] = {
    f"{name} {container['name']}": container["livenessProbe"]
    for name, component in PLATFORM.components.items()
    for kind in ("Deployment", "StatefulSet", "DaemonSet")
    for item in component.base.of_kind(kind)
    for container in item.data["spec"]["template"]["spec"]["containers"]
    if "livenessProbe" in container
}


def test_there_are_probes() -> None:
    assert PROBES


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
def test_a_busy_process_has_time_to_answer(probe: dict[str, Any]) -> None:
    # Kubernetes' defaults: 1 s, every 10 s, three times.
    assert probe.get("timeoutSeconds", 1) >= ANSWER
    assert probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3) >= GIVEN_UP
