# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who set which fields: what others added is found, and taken over so that the next apply removes it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.managers import added, applied_at, taken_over

from .managed import EARLY, LATE, OURS, config, entry, keys, ours

RESTART = {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}}}}}


def found(obj: dict[str, Any], applied: dict[str, Any] | None = None) -> dict[str, Any]:
    return {one.field: one.value_in(obj) for one in added(obj, OURS, applied or obj)}


def test_a_key_that_was_added_by_hand() -> None:
    obj = config({"A": "1", "B": "2"}, ours(keys("A")), entry("kubectl-edit", keys("B")))
    assert found(obj) == {"data.B": "2"}
    (one,) = added(obj, OURS, obj)
    assert one.manager == "kubectl-edit"


def test_a_field_that_others_took_from_us_is_changed_and_not_added() -> None:
    live = config({"A": "2"}, ours({}), entry("kubectl-edit", keys("A")))
    assert found(live, config({"A": "1"}, ours(keys("A")))) == {}


def test_an_item_of_a_list_counts_once() -> None:
    item = 'k:{"name":"DEBUG"}'
    fields = {"f:spec": {"f:env": {".": {}, item: {".": {}, "f:name": {}, "f:value": {}}}}}
    obj = {"metadata": {"managedFields": [ours({}), entry("kubectl-set", fields)]}, "spec": {"env": [{"name": "DEBUG", "value": "1"}]}}
    assert found(obj) == {"spec.env[name=DEBUG]": {"name": "DEBUG", "value": "1"}}


def test_a_finalizer() -> None:
    obj = config({}, ours({}), entry("kubectl", {"f:metadata": {"f:finalizers": {".": {}, 'v:"hold.example.com"': {}}}}))
    obj["metadata"]["finalizers"] = ["hold.example.com"]
    assert found(obj) == {'metadata.finalizers["hold.example.com"]': "hold.example.com"}


@pytest.mark.parametrize(
    "theirs",
    [
        entry("kube-controller-manager", keys("B")),
        entry("traefik", keys("B"), subresource="status"),
        entry("kubectl-rollout", RESTART),
        # Gone from the object since.
        entry("kubectl-edit", keys("C")),
    ],
    ids=["Kubernetes", "status", "a restart", "gone"],
)
def test_what_is_not_added(theirs: dict[str, Any]) -> None:
    obj = config({"A": "1", "B": "2"}, ours(keys("A")), theirs)
    obj["spec"] = {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": LATE}}}}
    assert found(obj) == {}


@pytest.mark.parametrize("manager", ["kubectl-edit", OURS], ids=["another", "our name, but not an apply"])
def test_what_is_taken_over_is_ours_alone(manager: str) -> None:
    status = entry("kubelet", {"f:status": {}}, subresource="status")
    obj = config({"A": "1", "B": "2"}, ours(keys("A")), entry(manager, keys("B")), status)
    kept, mine = taken_over(obj, OURS)
    assert kept == status
    assert (mine["manager"], mine["operation"], mine["fieldsV1"]) == (OURS, "Apply", keys("A", "B"))


def test_a_restart_is_not_taken_over_together_with_the_rest() -> None:
    """Without its annotation in the template every pod would be made new."""
    rollout = entry("kubectl-edit", {**RESTART, **keys("B")})
    kept, mine = taken_over(config({}, ours(keys("A")), rollout), OURS)
    assert kept["manager"] == "kubectl-edit" and "f:data" not in kept["fieldsV1"]
    assert mine["fieldsV1"]["f:data"] == keys("A", "B")["f:data"]
    assert "kubectl.kubernetes.io/restartedAt" not in str(mine)


def test_when_we_last_changed_anything() -> None:
    assert applied_at(config({}, ours(keys("A"), LATE), entry("kubectl", keys("B"), time="2026-12-01T00:00:00Z")), OURS) == LATE
    assert applied_at(config({}, entry("kubectl", keys("B"), time=EARLY)), OURS) == ""
