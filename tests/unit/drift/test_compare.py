# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison as a whole, against an API server in memory."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.compare import Rendered, rows
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.rows import Row, advice, lines, summary
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.apply import api

from .managed import EARLY, LATE, config, entry, keys, ours

Object = dict[str, Any]
FILE = "rendered/app/kustomization.yaml"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "app", "creationTimestamp": EARLY, "managedFields": [ours({})]}}


@dataclass
class Cluster(api.Api):
    """Also gives whole objects, and says what an apply would make of one: what is told, by us; defaults are the server's."""

    refuses: str = ""
    dry: list[str] = field(default_factory=list)

    def get(self, path: str, params: dict[str, str] | None = None, accept: str = "application/json") -> Object | None:
        if path in ("/api", "/apis") or "as=PartialObjectMetadataList" in accept:
            return super().get(path, params, accept)
        self.asked.append(path)
        plural = path.rpartition("/")[2]
        (kind,) = (kind for _version, kind, name, _namespaced in api.KINDS if name == plural)
        # Without their kind, as in any list.
        return {"items": [{k: v for k, v in obj.items() if k != "kind"} for obj in self.objects if obj["kind"] == kind]}

    def would_be(self, path: str, obj: Object, manager: str) -> Object:
        self.dry.append(path)
        if self.refuses:
            raise ParityError("KUBE_API_REFUSED", self.refuses)
        live = next(one for one in self.objects if (one["kind"], one["metadata"]["name"]) == (obj["kind"], obj["metadata"]["name"]))
        made = copy.deepcopy(live)
        made["metadata"]["managedFields"] = [entry(manager, keys(*obj.get("data", {})), "Apply")]
        made |= {"data": {**live["data"], **obj["data"]}} if "data" in obj else {}
        return made


def compare(live: list[Object], wanted: Object, cluster: type[Cluster] = Cluster, **more: Any) -> list[Row]:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "app"}}
    rendered = [Rendered(namespace, "rendered/app/namespaces.yaml"), Rendered(wanted, FILE)]
    objects = [{**one, "metadata": {"labels": {}, **one["metadata"]}} for one in [NAMESPACE, *live]]
    return rows(cluster(objects, **more), rendered, lambda text: text.replace("hush", "***"), "kubectl")


def wanted(kind: str = "ConfigMap", **data: str) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "api-config-1", "namespace": "app"}, "data": data}


def test_what_is_as_rendered_makes_no_row() -> None:
    assert compare([config({"A": "1"}, ours(keys("A")))], wanted(A="1")) == []


def test_a_changed_and_an_added_key() -> None:
    live = config({"A": "2", "B": "hush"}, ours({}), entry("kubectl-edit", keys("A", "B")))
    found = compare([live], wanted(A="1"))
    name = "ConfigMap app/api-config-1"
    assert found == [Row(name, "data.A", "'2'", "'1'", FILE), Row(name, "data.B", "'***', added by kubectl-edit", "", FILE)]
    assert summary(found) == f"{name}: data.A: '2', not '1'; {name}: data.B: '***', added by kubectl-edit"
    assert lines(found) == [f"{name}  ({FILE})", "  data.A: '2', rendered '1'", "  data.B: '***', added by kubectl-edit"]


def test_of_a_secret_there_are_digests_alone() -> None:
    live = config({"A": "c2VjcmV0", "B": "b3RoZXI="}, ours({}), entry("kubectl-edit", keys("A", "B")), kind="Secret")
    found = compare([live], wanted("Secret", A="cmlnaHQ="))
    # SHA-256 of what the value decodes to, as sha256sum says of the file.
    assert [row.live for row in found] == ["sha256:2bb80d537b1d", "sha256:d9298a10d1b0, added by kubectl-edit"]
    assert "c2VjcmV0" not in str(found) and "secret" not in str(found)


def test_an_object_that_is_missing() -> None:
    assert compare([], wanted(A="1")) == [Row("ConfigMap app/api-config-1", "", "missing", "", FILE)]


def test_an_object_that_nobody_applied_as_ours() -> None:
    (row,) = compare([config({"A": "1"})], wanted(A="1"))
    assert (row.field, row.live) == ("metadata.managedFields", "nothing of it is applied by gpuaas.parity")


def test_an_object_that_cannot_become_as_rendered() -> None:
    with pytest.raises(ParityError):
        compare([config({"A": "1"}, ours(keys("A")))], wanted(A="1"), Unreachable)
    found = compare([config({"A": "1"}, ours(keys("A")))], wanted(A="1"), refuses="field is immutable: hush")
    assert {row.live for row in found} == {"cannot become as rendered: field is immutable: ***"}


class Unreachable(Cluster):
    def would_be(self, path: str, obj: Object, manager: str) -> Object:
        raise ParityError("KUBE_API_UNREACHABLE", path)


def test_what_is_not_ours_is_named_with_the_command_that_removes_it() -> None:
    mine = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mine", "namespace": "app", "labels": {}}}
    (row,) = compare([config({"A": "1"}, ours(keys("A"))), mine], wanted(A="1"))
    assert (row.object, row.live) == ("Service app/mine", "not part of the platform")
    assert advice([row]) == "if nobody needs it: kubectl delete service mine --namespace=app"


def test_a_pod_that_started_before_its_settings_were_restored() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "api-0", "namespace": "app", "labels": {}, "ownerReferences": [{"kind": "StatefulSet", "name": "api"}]},
        "spec": {"containers": [{"envFrom": [{"configMapRef": {"name": "api-config-1"}}]}]},
        "status": {"containerStatuses": [{"state": {"running": {"startedAt": "2026-11-24T10:01:00Z"}}}]},
    }
    (row,) = compare([config({"A": "1"}, ours(keys("A"), LATE)), pod], wanted(A="1"))
    assert row.object == "Pod app/api-0"
    assert row.live == f"2026-11-24T10:01:00Z, before ConfigMap api-config-1 was set at {LATE}"
    assert row.do == "{up}"


def test_the_origin_that_kustomize_notes_is_the_file_and_no_annotation() -> None:
    origin = {
        "config.kubernetes.io/origin": "configuredIn: ../../rendered/app/kustomization.yaml\nconfiguredBy: {kind: ConfigMapGenerator}\n"
    }
    built = wanted(A="1")
    built["metadata"] |= {"annotations": origin}
    assert Rendered.read(built) == Rendered(wanted(A="1"), FILE)
    built["metadata"] |= {"annotations": {**origin, "mine": "1"}}
    assert Rendered.read(built).data["metadata"]["annotations"] == {"mine": "1"}


def test_many_rows_are_counted_and_three_commands_are_enough() -> None:
    many = [Row(f"Pod app/x{number}", "", "not part of the platform", "", do=f"remove {number}") for number in range(9)]
    assert summary(many).endswith("; and 3 more")
    assert advice(many) == "remove 0; remove 1; remove 2; {drift} says what else"
