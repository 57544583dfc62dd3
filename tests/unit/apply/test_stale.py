# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an apply left behind: found by label, field manager and name, and never data or what is somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.identity import Identity
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.stale import leftovers
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render import kustomize

from .api import BY_HAND, OURS, Api, live

Object = dict[str, Any]
NAMESPACE = live("Namespace", "gpuaas-app")
API = [
    live("Deployment", "api", "gpuaas-app"),
    live("Service", "api", "gpuaas-app"),
    live("ConfigMap", "api-config-2b5k7t9fcd", "gpuaas-app"),
    live("Secret", "api-secrets-7f2h4mkt6b", "gpuaas-app"),
    live("ClusterRole", "api"),
]
CURRENT = (NAMESPACE, *API)


def stale(extra: list[Object], current: Sequence[Object] = CURRENT) -> dict[str, str]:
    """Each leftover of a cluster with ``current``, which is what is applied, and ``extra``: why it stays, or nothing."""
    found = leftovers(Api([*current, *extra]), [Identity.of(obj) for obj in current])
    return {str(one.identity): one.why for one in found}


def test_what_is_applied_is_no_leftover() -> None:
    assert stale([]) == {}


def test_the_label_is_the_one_of_our_renderings() -> None:
    assert OURS.items() <= kustomize._LABELS.items()


def test_older_generations_of_configuration_go() -> None:
    older = [live("ConfigMap", "api-config-h8c2d6gm4t", "gpuaas-app"), live("Secret", "api-secrets-5kc8b2fd9h", "gpuaas-app")]
    assert stale(older) == {"ConfigMap gpuaas-app/api-config-h8c2d6gm4t": "", "Secret gpuaas-app/api-secrets-5kc8b2fd9h": ""}


def test_a_component_that_was_removed_goes_with_all_that_it_had() -> None:
    jobs = [live("Deployment", "jobs", "gpuaas-app"), live("Service", "jobs", "gpuaas-app"), live("ClusterRole", "jobs")]
    assert stale(jobs) == {"ClusterRole jobs": "", "Deployment gpuaas-app/jobs": "", "Service gpuaas-app/jobs": ""}


def test_a_kind_that_nothing_has_any_more_is_looked_at() -> None:
    assert stale([live("Lease", "gpu-0", "gpuaas-app")]) == {"Lease gpuaas-app/gpu-0": ""}


def test_a_lane_that_shrank_loses_its_namespace_after_what_is_in_it() -> None:
    others = [live("Namespace", "gpuaas-async"), live("StatefulSet", "queue", "gpuaas-async")]
    kubernetes = [
        live("ConfigMap", "kube-root-ca.crt", "gpuaas-async", {}, BY_HAND),
        live("ServiceAccount", "default", "gpuaas-async", {}, BY_HAND),
        live("Endpoints", "queue", "gpuaas-async", OURS, BY_HAND),
        live("Pod", "queue-0", "gpuaas-async", OURS, BY_HAND, ownerReferences=[{"kind": "StatefulSet", "name": "queue"}]),
    ]
    assert list(stale([*others, *kubernetes]).items()) == [("StatefulSet gpuaas-async/queue", ""), ("Namespace gpuaas-async", "")]


def test_names_are_of_a_namespace() -> None:
    assert stale([live("Namespace", "other"), live("Deployment", "api", "other")]) == {"Deployment other/api": "", "Namespace other": ""}


def test_what_names_no_namespace_is_in_default() -> None:
    current = [*CURRENT, live("ConfigMap", "placed", "")]
    api = Api([*CURRENT, live("ConfigMap", "placed", "default")])
    assert leftovers(api, [Identity.of(obj) for obj in current]) == []


def test_claims_and_volumes_stay() -> None:
    data = [live("PersistentVolumeClaim", "data-postgres-0", "gpuaas-app"), live("PersistentVolume", "gpuaas-postgres")]
    kept = {"PersistentVolume gpuaas-postgres": "it holds data", "PersistentVolumeClaim gpuaas-app/data-postgres-0": "it holds data"}
    assert stale([*data, live("StatefulSet", "postgres", "gpuaas-app")]) == {"StatefulSet gpuaas-app/postgres": "", **kept}


def test_a_claim_that_a_controller_made_is_named_as_well() -> None:
    made = live("PersistentVolumeClaim", "data-queue-0", "gpuaas-app", OURS, BY_HAND)
    assert stale([made]) == {"PersistentVolumeClaim gpuaas-app/data-queue-0": "it holds data"}


def test_a_namespace_that_holds_a_claim_stays() -> None:
    held = [
        live("Namespace", "gpuaas-async"),
        live("StatefulSet", "queue", "gpuaas-async"),
        # Of a template without our label.
        live("PersistentVolumeClaim", "data-queue-0", "gpuaas-async", {}, BY_HAND),
    ]
    found = stale(held)
    assert found == {
        "StatefulSet gpuaas-async/queue": "",
        "Namespace gpuaas-async": "it holds PersistentVolumeClaim gpuaas-async/data-queue-0",
    }


def test_a_namespace_stays_with_whatever_else_would_go_along() -> None:
    mine = [live("ConfigMap", f"mine-{number}", "gpuaas-async", {}, BY_HAND) for number in range(5)]
    found = stale([live("Namespace", "gpuaas-async"), *mine])
    held = "it holds ConfigMap gpuaas-async/mine-0, ConfigMap gpuaas-async/mine-1, ConfigMap gpuaas-async/mine-2 and 2 more"
    assert found == {"Namespace gpuaas-async": held}


def test_a_definition_stays_as_long_as_anything_is_defined_by_it() -> None:
    definition = live("CustomResourceDefinition", "leases.gpu.example.com")
    theirs = live("Lease", "gpu-0", "research", {}, BY_HAND)
    assert stale([definition, theirs]) == {"CustomResourceDefinition leases.gpu.example.com": "it holds Lease research/gpu-0"}
    assert stale([definition, live("Lease", "gpu-0", "gpuaas-app")]) == {
        "Lease gpuaas-app/gpu-0": "",
        "CustomResourceDefinition leases.gpu.example.com": "",
    }


@pytest.mark.parametrize(
    "theirs",
    [
        live("Deployment", "mine", "gpuaas-app", {}),
        live("Deployment", "mine", "gpuaas-app", {"app.kubernetes.io/managed-by": "Helm"}),
        # Copied from ours with all its labels.
        live("Deployment", "mine", "gpuaas-app", OURS, BY_HAND),
        live("ReplicaSet", "api-6d5f", "gpuaas-app", OURS, BY_HAND),
        live("Endpoints", "api", "gpuaas-app", OURS, [{"manager": "kube-controller-manager", "operation": "Update"}]),
    ],
    ids=["unlabelled", "labelled as another's", "copied", "made by a controller", "mirrored"],
)
def test_what_others_manage_is_not_touched(theirs: Object) -> None:
    assert stale([theirs]) == {}


def test_what_is_on_its_way_out_is_not_removed_twice() -> None:
    assert stale([live("Namespace", "gpuaas-async", deletionTimestamp="2026-11-24T10:00:00Z")]) == {}


def test_every_kind_is_asked_for_once_and_nothing_but_metadata() -> None:
    api = Api([*CURRENT])
    leftovers(api, [Identity.of(obj) for obj in CURRENT])
    assert len(api.asked) == len(set(api.asked))
    assert "/apis/gpu.example.com/v1/leases" in api.asked
