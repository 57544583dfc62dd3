"""Writes ``python-1.json``, ``browser-1.json`` and ``instances-1.json``, each by one implementation for the other to read.

Those whose names follow are written, else those that are not there yet: what is there is not made again by chance.

    cd control_plane && PYTHONPATH=src:tests ../.cache/control-plane-venv/bin/python tests/encryption/vectors/make.py

Formats that are released keep their vectors: a new version of the format is a new file beside these.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gpuaas.encryption.binding import Binding
from gpuaas.encryption.refusal import Reason
from support import chromium, interchange, of_instances
from support.envelopes import OTHERS, Served, World, other

NOTE = "Test keys, made for this file; they protect nothing. Written by vectors/make.py from what {} sealed."


def _browser_vectors(world: World, sealed: dict[str, str], asked: dict[str, Any]) -> dict[str, Any]:
    """What the browser sealed; and each as what it is not."""
    vectors: dict[str, Any] = {}

    def add(name: str, served: Served, **outcome: str) -> None:
        vectors[name] = {**interchange.to_json(served), **outcome}

    for name, envelope in sealed.items():
        if len(envelope) > 20_000:
            continue
        binding = Binding.of(asked[name]["binding"])
        served = replace(world.served, envelope=envelope, binding=binding, oldest_epoch=1)
        add(name, served, plaintext=asked[name]["plaintext"])
        add(f"{name}, read by who was removed", replace(served, key=world.bob.agree), reason=Reason.EPOCH_RECIPIENT)
        add(f"{name}, by another author", replace(served, author=world.bob.kid), reason=Reason.ENVELOPE_AUTHOR)
    served = replace(world.served, envelope=sealed["for the members"])
    for name in OTHERS:
        add(f"another {name} is asked for", replace(served, binding=other(name)), reason=Reason(f"envelope_{name}"))
    stale = replace(served, envelope=sealed["under the first epoch"])
    add("an old epoch", stale, reason=Reason.ENVELOPE_EPOCH_STALE)
    cut = replace(served, envelope=served.envelope[:-2])
    add("a cut signature", cut, reason=cut.refused() or "")
    return vectors


def main(names: Sequence[str]) -> None:
    files = [interchange.PYTHON, interchange.BROWSER, interchange.INSTANCES]
    write = [file for file in files if (file.name in names if names else not file.exists())]
    world = World()
    if interchange.PYTHON in write:
        interchange.write(interchange.PYTHON, NOTE.format("Python"), interchange.python_vectors(world))
    if interchange.INSTANCES in write:
        vectors = {name: asked.to_json(world) for name, asked in of_instances.cases(world).items()}
        interchange.write(interchange.INSTANCES, NOTE.format("Python"), vectors)
    if interchange.BROWSER in write:
        _browser(world)


def _browser(world: World) -> None:
    asked = interchange.to_seal(world)
    work = {"served": {}, "seal": asked, "mine": {}, "plaintext": ""}
    with tempfile.TemporaryDirectory() as directory:
        report = chromium.run(lambda _browser: work, Path(directory))
    vectors = _browser_vectors(world, report["sealed"], asked)
    interchange.write(interchange.BROWSER, NOTE.format("the browser"), vectors)


if __name__ == "__main__":
    main(sys.argv[1:])
