# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where two objects differ: what is named, and what does not count."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.fields import ABSENT, Difference, differences


def obj(**fields: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"name": "api"}, **fields}


def containers(*items: dict[str, Any]) -> dict[str, Any]:
    return obj(spec={"containers": list(items)})


@pytest.mark.parametrize(
    ("live", "wanted", "found"),
    [
        (obj(spec={"replicas": 2}), obj(spec={"replicas": 1}), [Difference("spec.replicas", 2, 1)]),
        (obj(data={"A": "1", "B": "2"}), obj(data={"A": "1"}), [Difference("data.B", "2", ABSENT)]),
        (obj(data={}), obj(data={"A": "1"}), [Difference("data.A", ABSENT, "1")]),
        (
            containers({"name": "a", "image": "1"}, {"name": "b"}),
            containers({"name": "b"}, {"name": "a", "image": "2"}),
            [Difference("spec.containers[name=a].image", "1", "2")],
        ),
        (
            containers({"name": "a"}, {"name": "b"}),
            containers({"name": "a"}),
            [Difference("spec.containers[name=b]", {"name": "b"}, ABSENT)],
        ),
        (
            containers({"name": "a"}, {"name": "b"}),
            containers({"name": "b"}, {"name": "a"}),
            [Difference("spec.containers", ["a", "b"], ["b", "a"])],
        ),
        (obj(args=["x", "y"]), obj(args=["x", "z"]), [Difference("args[1]", "y", "z")]),
        # What both have would hide what one has besides.
        (obj(rules=[{"verbs": ["get"]}, {"verbs": ["*"]}]), obj(rules=[{"verbs": ["get"]}]), [Difference("rules", [{"verbs": ["*"]}], [])]),
        (obj(args=["x", "x"]), obj(args=["x"]), [Difference("args", ["x", "x"], ["x"])]),
    ],
    ids=["changed", "added", "removed", "by name", "an item more", "another order", "by place", "a rule more", "twice"],
)
def test_each_field_is_named_with_both_values(live: dict[str, Any], wanted: dict[str, Any], found: list[Difference]) -> None:
    assert differences(live, wanted) == found


def test_status_and_what_the_server_keeps_do_not_count() -> None:
    live, wanted = obj(status={"replicas": 1}), obj(status={"replicas": 2})
    live["metadata"] |= {"uid": "1", "resourceVersion": "7", "generation": 2, "managedFields": [{}], "creationTimestamp": "now"}
    assert differences(live, wanted) == []
    live["metadata"]["labels"] = {"a": "b"}
    assert differences(live, wanted) == [Difference("metadata.labels", {"a": "b"}, ABSENT)]
