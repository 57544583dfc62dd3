# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed fields as an API server writes them."""

from __future__ import annotations

from typing import Any

OURS, EARLY, LATE = "gpuaas.parity", "2026-11-24T10:00:00Z", "2026-11-24T10:05:00Z"


def entry(manager: str, fields: dict[str, Any], operation: str = "Update", time: str = EARLY, **more: str) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "v1",
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        **more,
    }


def ours(fields: dict[str, Any], time: str = EARLY) -> dict[str, Any]:
    return entry(OURS, fields, "Apply", time)


def config(data: dict[str, str], *managed: dict[str, Any], kind: str = "ConfigMap", name: str = "api-config-1") -> dict[str, Any]:
    meta = {"name": name, "namespace": "app", "creationTimestamp": EARLY, "resourceVersion": "7", "managedFields": list(managed)}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, "data": data}


def keys(*names: str) -> dict[str, Any]:
    return {"f:data": {".": {}, **{f"f:{name}": {} for name in names}}}
