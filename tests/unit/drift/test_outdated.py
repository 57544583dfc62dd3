# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod that is older than what it reads has read something else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.outdated import contents, outdated

from .managed import EARLY, LATE, OURS, config, keys, ours

BETWEEN, AFTER = "2026-11-24T10:03:00Z", "2026-11-24T10:06:00Z"


def pod(started: str, *, secret: bool = False, namespace: str = "app", **meta: Any) -> dict[str, Any]:
    read = {"volumes": [{"secret": {"secretName": "api-config-1"}}]} if secret else {}
    source = {} if secret else {"envFrom": [{"configMapRef": {"name": "api-config-1"}}]}
    return {
        "metadata": {"name": "api-1", "namespace": namespace, "ownerReferences": [{"kind": "StatefulSet", "name": "api"}], **meta},
        "spec": {"containers": [{"name": "api", **source}], **read},
        "status": {"containerStatuses": [{"state": {"running": {"startedAt": started}} if started else {"terminated": {}}}]},
    }


def late(one: dict[str, Any], since: str, kind: str = "ConfigMap") -> bool:
    return bool(outdated([one], contents([config({"A": "1"}, ours(keys("A"), since), kind=kind)], OURS)))


def test_one_that_started_before_the_content_was_restored() -> None:
    assert late(pod(BETWEEN), LATE)
    assert late(pod(BETWEEN, secret=True), LATE, "Secret")


def test_one_that_is_older_than_an_object_that_was_made_again() -> None:
    assert late(pod("2026-11-24T09:00:00Z"), EARLY)


@pytest.mark.parametrize(
    ("one", "since"),
    [
        (pod(AFTER), LATE),
        (pod(LATE), LATE),
        (pod(BETWEEN), EARLY),
        (pod(BETWEEN, namespace="other"), LATE),
        (pod(BETWEEN, secret=True), LATE),
        (pod(BETWEEN, deletionTimestamp=AFTER), LATE),
        (pod(""), LATE),
    ],
    ids=["later", "at once", "never changed", "another namespace", "reads something else", "on its way out", "ended"],
)
def test_what_is_not_outdated(one: dict[str, Any], since: str) -> None:
    assert not late(one, since)
