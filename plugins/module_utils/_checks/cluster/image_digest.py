# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every pod runs the image that is pinned for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed

Object = dict[str, Any]
# Its own pods (etcd, API server ...) come with the node image, which the container that the images were pinned for
# vouches for.
OF_THE_NODE = ("kube-system", "kube-public", "kube-node-lease", "default")


def repository(image: str) -> str:
    """An image reference without tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def digest(image: str) -> str:
    """The digest at the end of an image reference or an image ID, empty when there is none."""
    return image.rpartition("@")[2] if "sha256:" in image else ""


@dataclass(frozen=True)
class ImageDigest:
    """Each container of each platform pod runs a digest of state_dir/images/images.json, under that image's name.

    The kubelet reports a manifest's or a configuration's digest, depending on how the image came to the
    node; either is compared. A pod whose image is not pinned is a failure, and so are images
    that were pinned for another node.
    """

    def run(self, context: Context) -> Observation:
        file = context.state_dir / "images" / "images.json"
        try:
            pins = json.loads(file.read_text(encoding="utf-8"))
            entries = {repository(str(entry["ref"])): entry for entry in pins["images"].values()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            return failed("IMAGE_NOT_PINNED", f"{file}: {type(error).__name__}: {error}")
        wrong, counted = [], 0
        for pod in context.snapshot.all("pods"):
            if not _is_platform(pod, context):
                continue
            for where, image, image_id in _containers(pod):
                counted += 1
                problem = _problem(image, image_id, entries)
                if problem:
                    wrong.append(f"{where}: {problem}")
        wrong += _node(context, pins.get("node"))
        if wrong:
            return failed("IMAGE_NOT_PINNED", "; ".join(wrong[:5]), images=wrong)
        if not counted:
            return failed("IMAGE_NOT_PINNED", "there is no pod to compare")
        return passed(f"{counted} containers run pinned images")


def _is_platform(pod: Object, context: Context) -> bool:
    meta = pod["metadata"]
    if meta.get("namespace") not in OF_THE_NODE:
        return True
    # A component without an image runs the node's own.
    name = (meta.get("labels") or {}).get("app.kubernetes.io/name")
    return "image" in context.contract["services"].get(name, {})


def _containers(pod: Object) -> list[tuple[str, str, str]]:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    found = []
    for specs, statuses in (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")):
        running = {item.get("name"): str(item.get("imageID") or "") for item in status.get(statuses) or []}
        for container in spec.get(specs) or []:
            where = f"{pod['metadata'].get('namespace')}/{pod['metadata']['name']}, {container['name']}"
            found.append((where, str(container.get("image")), running.get(container["name"], "")))
    return found


def _problem(image: str, image_id: str, entries: dict[str, Object]) -> str:
    entry = entries.get(repository(image))
    if entry is None:
        return f"no image {repository(image)} is pinned"
    if not image_id:
        return "no image runs yet"
    pinned = [str(entry[key]) for key in ("digest", "config_digest") if entry.get(key)]
    # The reference asks for a digest and the kubelet reports one: by configuration digest where
    # that is not recorded, so the reference must then be the pinned one.
    if digest(image_id) in pinned or (not entry.get("config_digest") and "@" not in image_id and digest(image) in pinned):
        return ""
    return f"runs {digest(image_id) or image_id}, {pinned[0]} is pinned"


def _node(context: Context, pinned_for: object) -> list[str]:
    if not pinned_for:
        return []
    containers = context.docker.objects("container", [context.node])
    if not containers or containers[0].get("Id") != pinned_for:
        return [f"the images were pinned for another node than {context.node}"]
    return []
