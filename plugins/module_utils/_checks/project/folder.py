# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a folder in a container by their digests, so that contents are compared and never shown."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import is_running
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed

Object = dict[str, Any]
_PATIENCE = 10.0
# Digests and names, never a value; a folder that is not there is an empty one, and what cannot be read is an error.
_DIGESTS = 'cd "$1" 2>/dev/null || exit 0; for f in * .[!.]*; do [ ! -e "$f" ] || sha256sum "./$f" || exit 4; done'
# What an image without a shell answers, by the shell's own rule for a program that is not there or cannot run.
_NO_SHELL = (126, 127)


def sha256(file: Path) -> str:
    """The digest of a file of this machine, in hex. Raises OSError."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def digests_in(context: Context, container: Object, folder: str) -> dict[str, str] | None:
    """SHA-256 in hex of every file in ``folder`` by name, None where they cannot be read.

    They are computed in the container, or where it has no shell, or has ended, in another one that mounts the same volume.
    """
    done = _digests(context, container, folder) if is_running(container) else None
    if done is None or done.rc in _NO_SHELL:
        done = _through_another(context, container, folder) or done
    if done is None:
        return None
    # Two spaces and "./" stand between digest and name.
    return {line[68:]: line[:64] for line in done.stdout.splitlines()} if done.rc == 0 else None


def _digests(context: Context, container: Object, folder: str, *options: str) -> Completed:
    command = ["exec", *options, str(container["Id"]), "sh", "-c", _DIGESTS, "digests", folder]
    return context.docker.call(*command, timeout=_PATIENCE, check=False)


def _through_another(context: Context, container: Object, folder: str) -> Completed | None:
    """The digests in the same volume, where another container has it and a shell; None when there is no such."""
    volume = next((mount.get("Name") for mount in container.get("Mounts") or [] if mount.get("Destination") == folder), None)
    for other in context.project.containers() if volume else []:
        place = next((mount["Destination"] for mount in other.get("Mounts") or [] if mount.get("Name") == volume), None)
        if place and is_running(other) and other["Id"] != container["Id"]:
            # As root there: the files belong to the user of the container that they are for.
            done = _digests(context, other, str(place), "--user=0")
            if done.rc not in _NO_SHELL:
                return done
    return None
