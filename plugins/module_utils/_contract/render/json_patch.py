# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A JSON Patch (RFC 6902) as an entry of a kustomization."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Manifest


def json_patch(manifest: Manifest, operations: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry that applies ``operations`` to one object."""
    group, _separator, version = manifest.data["apiVersion"].rpartition("/")
    target = {
        "group": group,
        "version": version,
        "kind": manifest.kind,
        "name": manifest.name,
        "namespace": manifest.namespace,
    }
    patch = "".join(f"- {json.dumps(operation, sort_keys=True)}\n" for operation in operations)
    return {"target": {key: value for key, value in target.items() if value}, "patch": patch}
