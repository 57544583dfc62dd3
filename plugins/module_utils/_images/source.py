# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where images come from: packages, or a container registry that answers."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import run, tail

_DIGEST = re.compile(r"^(|sha256:[0-9a-f]{64})$")
_ASK_SECONDS = 8
_PULL_SECONDS = 1800
# Images are pulled side by side, and their digests are recorded in one file.
_RECORDING = threading.Lock()


@dataclass(frozen=True)
class Upstream:
    """An image of a registry: ``reference`` is host/repository:tag, ``digest`` may be unknown yet."""

    reference: str
    digest: str = ""

    def at(self, registry: str) -> Upstream:
        """The same image in another registry, such as a mirror on loopback; "" keeps its own."""
        path = self.reference.partition("/")[2]
        return dataclasses.replace(self, reference=f"{registry}/{path}") if registry else self

    def pinned(self, digest: str) -> str:
        """The reference by ``digest`` instead of tag."""
        return f"{self.reference.rpartition(':')[0]}@{digest}"


def load(path: Path, registry: str = "") -> dict[str, Upstream]:
    """The upstream images by name. Raises ParityError ``IMAGE_CATALOG_INVALID`` naming the entry."""
    try:
        entries = _yaml.load(path.read_text())["images"]
        found = {name: Upstream(**entry).at(registry) for name, entry in entries.items()}
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise ParityError("IMAGE_CATALOG_INVALID", f"{path}: {error}") from error
    for name, upstream in found.items():
        if not _DIGEST.match(upstream.digest) or not re.search(r"/.+:[^/]+$", upstream.reference):
            raise ParityError("IMAGE_CATALOG_INVALID", f"{path}: images.{name}: needs host/repository:tag and a sha256 digest or none")
    return found


def decide(wanted: str, upstream: dict[str, Upstream], cache: Path) -> str:
    """``build`` or ``pull``: as ``wanted``, or for ``auto`` whichever a registry's answer allows.

    The answer for ``auto`` is kept in ``cache``, so that one checkout does not
    change its images from run to run with the weather of the network.
    """
    if wanted != "auto":
        return wanted
    kept = cache / "images-source"
    if kept.is_file():
        return kept.read_text().strip()
    source = "pull" if _answers(upstream["base"].reference) else "build"
    cache.mkdir(parents=True, exist_ok=True)
    kept.write_text(source + "\n")
    return source


def _answers(reference: str) -> bool:
    try:
        return run(["docker", "buildx", "imagetools", "inspect", reference], timeout=_ASK_SECONDS, check=False).rc == 0
    except ParityError:
        # No answer in time is no answer.
        return False


def replace(catalog: Catalog, upstream: dict[str, Upstream]) -> Catalog:
    """The catalog in which every image that upstream has is pulled instead of built."""
    images = dict(catalog.images)
    for name, there in upstream.items():
        images[name] = Image(name=name, upstream=there.reference, digest=there.digest)
    return Catalog(images)


def pull(image: Image, tag: str, cache: Path, announce: Callable[[str], None]) -> None:
    """Pull ``image`` and give it ``tag``; an unknown digest is resolved and recorded.

    Raises ParityError ``IMAGE_PULL_FAILED`` with what the engine said.
    """
    there = Upstream(image.upstream, image.digest)
    record = cache / "upstream-digests.json"
    digest = there.digest or _recorded(record).get(there.reference, "")
    reference = there.pinned(digest) if digest else there.reference
    done = run(["docker", "pull", "--quiet", reference], timeout=_PULL_SECONDS, check=False)
    if done.rc != 0:
        raise ParityError("IMAGE_PULL_FAILED", f"{reference}: {tail(done.stderr)}")
    run(["docker", "tag", reference, tag])
    if not digest:
        listed = run(["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", reference]).stdout
        # The engine leaves out Docker Hub's own prefixes.
        familiar = there.reference.rpartition(":")[0].removeprefix("docker.io/").removeprefix("library/")
        digest = dict(entry.split("@") for entry in json.loads(listed)).get(familiar, "")
        if not digest:
            raise ParityError("IMAGE_PULL_FAILED", f"{reference}: the registry gave no digest")
        with _RECORDING:
            record.parent.mkdir(parents=True, exist_ok=True)
            scratch = record.with_suffix(".new")
            scratch.write_text(json.dumps({**_recorded(record), there.reference: digest}, indent=2, sort_keys=True) + "\n")
            scratch.replace(record)
        announce(f"{there.reference} is {digest}: recorded in {record}; name it in images/upstream.yml to pin it for everybody")


def _recorded(record: Path) -> dict[str, str]:
    return dict(json.loads(record.read_text())) if record.is_file() else {}
