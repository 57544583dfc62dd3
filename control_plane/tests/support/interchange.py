"""What both implementations are given and say, as JSON: committed as vectors, and sent to the browser's page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from gpuaas.encryption import keys
from gpuaas.encryption.binding import Binding
from gpuaas.encryption.refusal import Kind
from support import negatives
from support.envelopes import BINDING, ENVIRONMENT, OTHERS, PLAINTEXT, PROJECT, Served, World

VECTORS = Path(__file__).parents[1] / "encryption" / "vectors"
PYTHON, BROWSER = VECTORS / "python-1.json", VECTORS / "browser-1.json"
INSTANCES = VECTORS / "instances-1.json"


def to_json(served: Served) -> dict[str, Any]:
    """What a server sends, and who reads it."""
    return {
        "environment": ENVIRONMENT,
        "project": PROJECT,
        "envelope": served.envelope,
        "records": list(served.records),
        "key": keys.private(served.key),
        "pin": {"number": served.pin[0], "digest": served.pin[1]},
        "expected": {
            "binding": served.binding.members(),
            "author": served.author,
            "oldest_epoch": served.oldest_epoch,
        },
    }


def of_json(given: dict[str, Any]) -> Served:
    expected = given["expected"]
    return Served(
        envelope=given["envelope"],
        records=tuple(given["records"]),
        key=keys.read_private(given["key"], Kind.ENVELOPE),
        pin=(given["pin"]["number"], given["pin"]["digest"]),
        binding=Binding.of(expected["binding"]),
        author=expected["author"],
        oldest_epoch=expected["oldest_epoch"],
    )


def python_vectors(world: World) -> dict[str, Any]:
    """All that Python makes: what opens, and what is refused by which name."""
    readers = {"the author": world.alice.agree, "another member": world.carol.agree, "the recovery key": world.recovery}
    good = {f"read by {name}": replace(world.served, key=key) for name, key in readers.items()}
    good["of the first epoch"] = replace(world.served, envelope=world.seal(by=world.bob, under=1), oldest_epoch=1)
    good["by the author that is asked for"] = replace(world.served, author=world.alice.kid)
    return {
        **{name: {**to_json(served), "plaintext": PLAINTEXT.hex()} for name, served in good.items()},
        # Long by their nature; Python makes them again in each run.
        **{
            name: {**to_json(served), "reason": reason}
            for name, (served, reason) in negatives.cases(world).items()
            if len(served.envelope) + sum(map(len, served.records)) < 20_000
        },
    }


def to_seal(world: World) -> dict[str, Any]:
    """What the browser is to seal."""
    other = keys.generate()
    asked: dict[str, dict[str, Any]] = {
        "for the members": {},
        "for one besides": {"others": [keys.public(other)]},
        "under the first epoch": {"epoch": 1},
        "nothing": {"plaintext": ""},
        "the longest": {"plaintext": (b"x" * 32768).hex()},
    }
    for name, value in OTHERS.items():
        asked[f"of another {name}"] = {"binding": replace(BINDING, **{name: value}).members()}
    common = {
        "environment": ENVIRONMENT,
        "project": PROJECT,
        "records": list(world.records()),
        "pin": {"number": 1, "digest": world.pin(1)[1]},
        "author": keys.private(world.alice.sign),
        "plaintext": PLAINTEXT.hex(),
        "binding": BINDING.members(),
        "epoch": 2,
        "others": [],
    }
    return {name: {**common, **changes} for name, changes in asked.items()}


def read(path: Path) -> dict[str, Any]:
    """The vectors of a file, by their names."""
    document = json.loads(path.read_text())
    assert document["version"] == 1
    texts = document["texts"]
    return {
        name: {**vector, "envelope": texts[vector["envelope"]], "records": [texts[at] for at in vector["records"]]}
        for name, vector in document["vectors"].items()
    }


def write(path: Path, note: str, vectors: dict[str, Any]) -> None:
    """Each envelope and record stands once, under ``texts``; vectors have its place there."""
    texts: dict[str, int] = {}
    placed = {
        name: {
            **vector,
            "envelope": texts.setdefault(vector["envelope"], len(texts)),
            "records": [texts.setdefault(record, len(texts)) for record in vector["records"]],
        }
        for name, vector in vectors.items()
    }
    document = {"version": 1, "note": note, "texts": list(texts), "vectors": placed}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
