# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thin archives: what `docker save` writes, less the layers that the node already has.

Docker from 25 on saves an OCI image layout (image-spec, image-layout.md) whose
blobs are named by digest, so one that the receiver holds need not be sent. An
older engine's archive names no digests and passes through whole.
"""

from __future__ import annotations

import tarfile
from collections.abc import Collection
from typing import IO

_BLOBS = "blobs/sha256/"
# Layers are large; tarfile's own buffer is ten kilobytes.
_BUFFER = 1 << 20


def thin(source: IO[bytes], target: IO[bytes], present: Collection[str]) -> int:
    """Copy the archive from ``source`` to ``target`` without the blobs in ``present``.

    ``present`` holds digests (``sha256:…``). Returns the bytes of file content sent.
    """
    sent = 0
    with (
        tarfile.open(fileobj=source, mode="r|", bufsize=_BUFFER) as reader,
        tarfile.open(fileobj=target, mode="w|", bufsize=_BUFFER) as writer,
    ):
        for member in reader:
            if member.name.startswith(_BLOBS) and "sha256:" + member.name.removeprefix(_BLOBS) in present:
                continue
            writer.addfile(member, reader.extractfile(member) if member.isfile() else None)
            sent += member.size
    return sent
