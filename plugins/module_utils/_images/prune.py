# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every edit makes an image of another key; the older ones are made again in a minute or two."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import run

NEWEST = 8
"""How many of one repository stay, for who goes back and forth between branches."""


def prune(repository: str, keep: Collection[str]) -> list[str]:
    """Remove the tags of ``repository`` that are neither among ``keep`` nor among the newest; those that are gone.

    One that a container uses stays.
    """
    listed = run(["docker", "image", "ls", repository, "--format", "{{.Repository}}:{{.Tag}}"]).stdout.split()
    old = [tag for tag in listed[NEWEST:] if tag not in keep]
    return [tag for tag in old if run(["docker", "image", "rm", tag], check=False).rc == 0]
