# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs are the images that this run named, by content and not by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.image_digest import ImageDigest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.container_images import ContainerImages


@dataclass(frozen=True)
class ImagesPinned:
    """Every container of every pod, or of the project, runs the image that was named for it."""

    targets: ClassVar[frozenset[str]] = HERE

    def run(self, context: Context) -> Observation:
        return ContainerImages().run(context) if context.target == "compose" else ImageDigest().run(context)
