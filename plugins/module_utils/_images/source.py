# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where images come from: packages, or a container registry that answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image, Upstream
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import PATIENT, run, tail
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_json

_ASK_SECONDS = 8
# Images are pulled side by side, and their digests are recorded in one file.
_RECORDING = threading.Lock()


def decide(wanted: str, catalog: Catalog, cache: Path) -> str:
    """``build`` or ``pull``: as ``wanted``, or for ``auto`` whichever a registry's answer allows.

    The answer for ``auto`` is kept in ``cache``, so that one checkout does not
    change its images from run to run with the weather of the network.
    """
    if wanted != "auto":
        return wanted
    kept = cache / "images-source"
    if kept.is_file():
        return kept.read_text().strip()
    probe = catalog["base"].upstream
    source = "pull" if probe and _answers(probe.reference) else "build"
    cache.mkdir(parents=True, exist_ok=True)
    kept.write_text(source + "\n")
    return source


def _answers(reference: str) -> bool:
    try:
        return run(["docker", "buildx", "imagetools", "inspect", reference], timeout=_ASK_SECONDS, check=False).rc == 0
    except ParityError:
        # No answer in time is no answer.
        return False


def at(registry: str, catalog: Catalog) -> Catalog:
    """The catalog with every image of a registry looked for in ``registry``, such as a mirror; "" keeps each one's own."""
    return Catalog(
        {name: replace(image, upstream=image.upstream and image.upstream.at(registry)) for name, image in catalog.images.items()}
    )


def pulled(catalog: Catalog) -> Catalog:
    """The catalog in which every image that a registry has is pulled instead of built."""
    return Catalog({name: _pulled(image) if image.upstream else image for name, image in catalog.images.items()})


def _pulled(image: Image) -> Image:
    """Upstream's image needs nothing of ours, and brings its own of what ours would bundle."""
    return replace(image, pulled=True, from_={}, contexts={}, bundles=())


def pull(image: Image, tag: str, cache: Path, announce: Callable[[str], None], *, may_ask: bool = True) -> None:
    """Give ``image`` the ``tag``, pulled unless the engine holds it; an unknown digest is resolved and recorded.

    ``may_ask`` says whether a registry may be asked. Raises ParityError ``IMAGE_PULL_FAILED`` with what the engine said.
    """
    there = image.upstream or Upstream("")
    record = cache / "upstream-digests.json"
    digest = there.digest or _recorded(record).get(there.reference, "")
    reference = there.pinned(digest) if digest else there.reference
    if not digest or not Docker().objects("image", [reference]):
        _fetch(image, reference, may_ask=may_ask)
    run(["docker", "tag", reference, tag])
    if not digest:
        listed = run(["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", reference]).stdout
        # The engine leaves out Docker Hub's own prefixes.
        familiar = there.repository.removeprefix("docker.io/").removeprefix("library/")
        digest = dict(entry.split("@") for entry in json.loads(listed)).get(familiar, "")
        if not digest:
            raise ParityError("IMAGE_PULL_FAILED", f"{reference}: the registry gave no digest")
        with _RECORDING:
            record.parent.mkdir(parents=True, exist_ok=True)
            write_json(record, {**_recorded(record), there.reference: digest})
        announce(f"{there.reference} is {digest}: recorded in {record}; add it as digest to pin it for everybody ({image.where})")


def _fetch(image: Image, reference: str, *, may_ask: bool) -> None:
    if not may_ask:
        seen = f"{reference} ({image.where}) is not in the engine, and IMAGES_SOURCE=build pulls nothing"
        raise ParityError("IMAGE_PULL_FAILED", seen, do=f"docker pull {reference}; then {{up}}")
    done = run(["docker", "pull", "--quiet", reference], timeout=PATIENT, check=False)
    if done.rc != 0:
        # What is named by reference cannot be built instead.
        do = "" if image.is_buildable else "correct the reference, or log in to its registry: docker login"
        raise ParityError("IMAGE_PULL_FAILED", f"{reference} ({image.where}): {tail(done.stderr)}", do=do)


def _recorded(record: Path) -> dict[str, str]:
    return dict(json.loads(record.read_text())) if record.is_file() else {}
