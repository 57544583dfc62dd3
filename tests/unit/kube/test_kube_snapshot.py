"""One tick's view of the cluster, and what a pod waits for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.pods import (
    Blocker,
    blocker,
    is_ready,
    lacking,
    restarts,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.room import wants
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot
from ansible_collections.gpuaas.parity.tests.unit.kube.objects import FakeReader, named, pod, waiting, warning


def test_each_list_is_read_once_however_many_ask() -> None:
    reader = FakeReader({"pods": [pod("a", "n", "api")]})
    snapshot = Snapshot(reader)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: snapshot.all("pods"), range(50)))
    assert all(len(items) == 1 for items in found)
    assert reader.reads == ["pods"]


def test_a_failed_read_fails_for_all_in_the_tick_and_is_not_repeated() -> None:
    reader = FakeReader(error=ParityError("KUBE_API_UNREACHABLE", "nobody"))
    snapshot = Snapshot(reader)
    for _round in range(3):
        with pytest.raises(ParityError, match="nobody"):
            snapshot.all("pods")
    assert reader.reads == ["pods"]


def test_pods_are_chosen_by_namespace_and_all_labels_oldest_first() -> None:
    young, old, other = pod("young", "n", "api"), pod("old", "n", "api"), pod("other", "m", "api")
    young["metadata"]["creationTimestamp"] = "2026-11-21T11:00:00Z"
    snapshot = Snapshot(FakeReader({"pods": [young, old, other, pod("db", "n", "postgres")]}))
    labels = {"app.kubernetes.io/name": "api"}
    assert [item["metadata"]["name"] for item in snapshot.pods("n", labels)] == ["old", "young"]
    assert snapshot.pods("n", {**labels, "more": "x"}) == []
    assert snapshot.pods("n", {}) == []


def test_one_object_is_found_or_read() -> None:
    snapshot = Snapshot(FakeReader({"services": [named("a", "n")], "configmaps": [named("c", "n")]}))
    assert snapshot.find("services", "n", "a") == named("a", "n")
    assert snapshot.find("services", "m", "a") is None
    assert snapshot.read("configmaps", "n", "c") == named("c", "n")
    assert snapshot.read("configmaps", "n", "d") is None


def test_warnings_are_an_objects_own_oldest_first() -> None:
    late = warning("n", "a", "BackOff", "late", "2026-11-21T10:00:09Z")
    early = warning("n", "a", "Failed", "early", "2026-11-21T10:00:01Z")
    early["lastTimestamp"], early["eventTime"] = None, "2026-11-21T10:00:01.5Z"
    snapshot = Snapshot(FakeReader({"events": [late, early, warning("m", "a", "X", "y"), warning("n", "b", "X", "y")]}))
    assert [event["message"] for event in snapshot.warnings("n", "a")] == ["early", "late"]


def test_a_starting_pod() -> None:
    item = pod("api-0", "n", "api", ready=False, restartCount=2)
    assert not is_ready(item)
    assert restarts(item) == 2
    assert blocker(item).seen == "pod api-0 starting (0/1, 2 restarts)"
    assert blocker(item).grace is None


def test_a_pod_that_starts_again_says_why_it_ended() -> None:
    last = {"terminated": {"exitCode": 78, "message": "secret x cannot be read\n"}}
    item = pod("api-0", "n", "api", ready=False, restartCount=1, lastState=last)
    assert blocker(item).seen == "pod api-0 starting (0/1, 1 restarts), before ended with 78: secret x cannot be read"


def test_a_pod_on_its_way_out_is_not_ready() -> None:
    item = pod("api-0", "n", "api")
    assert is_ready(item)
    item["metadata"]["deletionTimestamp"] = "now"
    assert not is_ready(item)
    assert blocker(item).seen == "pod api-0 is terminating"


@pytest.mark.parametrize(
    ("kubelet", "reason"),
    [
        ("ImagePullBackOff", "IMAGE_NOT_ON_NODE"),
        ("ErrImagePull", "IMAGE_NOT_ON_NODE"),
        ("ErrImageNeverPull", "IMAGE_NOT_ON_NODE"),
        ("CreateContainerConfigError", "CONTAINER_CONFIG_BROKEN"),
    ],
)
def test_what_does_not_heal_has_a_reason_and_a_grace(kubelet: str, reason: str) -> None:
    found = blocker(pod("api-0", "n", "api", ready=False, **waiting(kubelet, "it is not there")))
    assert found.reason == reason
    assert found.grace is not None
    assert found.seen == f"pod api-0, container api: {kubelet}: it is not there"


def test_a_crash_loop_may_heal_and_names_the_exit() -> None:
    state = waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 3}})
    found = blocker(pod("api-0", "n", "api", ready=False, **state))
    assert (found.reason, found.grace) == ("WORKLOAD_NOT_READY", None)
    assert found.seen == "pod api-0, container api: CrashLoopBackOff after exit 3"


def test_last_words_of_a_container_are_told_in_place_of_the_kubelets() -> None:
    ended = {"exitCode": 78, "reason": "Error", "message": "gpuaas api: configuration:\n secret x cannot be read"}
    said = waiting("CrashLoopBackOff", "back-off 10s restarting failed container", lastState={"terminated": ended})
    words = ": gpuaas api: configuration: secret x cannot be read"
    for state, seen in (
        (said, f"CrashLoopBackOff after exit 78{words}"),
        ({"state": {"terminated": ended}}, f"ended with 78 (Error){words}"),
    ):
        found = blocker(pod("api-0", "n", "api", ready=False, **state))
        assert found is not None
        assert found.seen == f"pod api-0, container api: {seen}"


def test_a_container_that_crashed_again_and_again_is_given_up() -> None:
    def found(restarts: int) -> Blocker:
        return blocker(pod("api-0", "n", "api", ready=False, **waiting("CrashLoopBackOff", restartCount=restarts)))

    assert found(2).grace is None
    assert (found(3).reason, found(3).grace) == ("CONTAINER_CRASHING", 20.0)


def test_an_init_container_is_named_first() -> None:
    item = pod("db-0", "n", "postgres", ready=False, **waiting("PodInitializing"))
    item["status"]["initContainerStatuses"] = [{"name": "prepare", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]
    assert blocker(item).seen == "pod db-0, container prepare: ended with 1 (Error)"


def test_a_pod_without_a_node() -> None:
    item = pod("api-0", "n", "api", ready=False)
    item["status"] = {
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes: 1 had an untolerated taint"}],
    }
    assert blocker(item) == Blocker("pod api-0 is not scheduled: 0/1 nodes: 1 had an untolerated taint")
    item["status"] = {"phase": "Pending"}
    assert blocker(item).seen == "pod api-0 is Pending"


def test_a_pod_that_no_node_has_room_for() -> None:
    item = pod("api-0", "n", "api", ready=False)
    said = "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory."
    item["status"] = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": said}]}
    assert blocker(item) == Blocker(f"pod api-0 is not scheduled: {said}", "POD_UNSCHEDULABLE", 60.0)
    assert lacking(item) == ["cpu", "memory"]
    assert lacking(pod("api-0", "n", "api", ready=False)) == []


def test_what_a_pod_asks_for_is_counted_as_the_scheduler_does() -> None:
    item = pod("api-0", "n", "api")
    item["spec"] = {
        "containers": [{"resources": {"requests": {"memory": "1Gi"}}}, {"resources": {"requests": {"memory": "512Mi"}}}, {}],
        "initContainers": [{"resources": {"requests": {"memory": "1Gi", "cpu": "0.2"}}}],
    }
    assert (wants(item, "memory"), wants(item, "cpu")) == (1536 * 2**20, Fraction(1, 5))
