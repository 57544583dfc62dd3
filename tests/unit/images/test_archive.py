"""Thin archives leave out what the node has, and nothing else."""

from __future__ import annotations

import io
import tarfile

from ansible_collections.gpuaas.parity.plugins.module_utils._images.archive import thin


def archive(files: dict[str, bytes]) -> io.BytesIO:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    raw.seek(0)
    return raw


def names(raw: io.BytesIO) -> list[str]:
    raw.seek(0)
    with tarfile.open(fileobj=raw) as tar:
        return tar.getnames()


FILES = {"blobs/sha256/aa": b"layer" * 100, "blobs/sha256/bb": b"config", "index.json": b"{}", "oci-layout": b"{}"}


def test_a_blob_that_is_there_is_not_sent() -> None:
    target = io.BytesIO()
    sent = thin(archive(FILES), target, {"sha256:aa"})
    assert names(target) == ["blobs/sha256/bb", "index.json", "oci-layout"]
    assert sent == len(b"config") + 4


def test_everything_is_sent_to_an_empty_node() -> None:
    target = io.BytesIO()
    thin(archive(FILES), target, set())
    assert names(target) == list(FILES)


def test_an_archive_without_digests_passes_whole() -> None:
    legacy = {"0a1b/layer.tar": b"layer", "manifest.json": b"[]"}
    target = io.BytesIO()
    thin(archive(legacy), target, {"sha256:0a1b"})
    assert names(target) == list(legacy)
