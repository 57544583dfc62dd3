"""Python and the browser read what the other one made, and refuse the same by the same names.

The browser's side is the console's ``static/envelope.js``: WebCrypto through ``jose``, in headless Chromium. ``vectors/make.py`` wrote
the committed vectors, in which private keys are the tests' own.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from gpuaas.encryption import epoch, instance, tenant
from gpuaas.encryption.binding import Binding
from gpuaas.encryption.member import Member
from gpuaas.encryption.refusal import Reason, RefusedError
from support import chromium, interchange, negatives, of_instances
from support.envelopes import BINDING, PLAINTEXT, PROJECT, Served, World

WORLD = World()
CASES = negatives.cases(WORLD)
INSTANCES = of_instances.cases(WORLD)


def _joined(browser: Any) -> Served:
    """Alice adds the browser as a device: an epoch more."""
    members = [WORLD.alice.public, Member.of(browser)]
    chain = WORLD.chain.rotated(WORLD.alice, members, None, WORLD.chain.unlock(WORLD.alice.agree))
    envelope = tenant.seal(PLAINTEXT, BINDING, WORLD.alice, chain.current)
    records = tuple(each.record for each in chain.epochs)
    return Served(envelope, records, WORLD.alice.agree, WORLD.pin(1))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser reports of the committed vectors, of today's, and of its own keys; and what it was given."""
    given: dict[str, Any] = {}

    def begin(browser: Any) -> dict[str, Any]:
        given["joined"] = _joined(browser)
        now = {f"now: {name}": interchange.to_json(served) for name, (served, _reason) in CASES.items()}
        now |= {f"now: {name}": asked.to_json(WORLD) for name, asked in INSTANCES.items()}
        mine = interchange.to_json(given["joined"])
        stale = interchange.to_json(replace(given["joined"], envelope=WORLD.envelope))
        return {
            "served": {**_committed(), **now},
            "seal": interchange.to_seal(WORLD),
            "mine": {"its own": mine, "stale": stale},
            "plaintext": PLAINTEXT.hex(),
        }

    return {**chromium.run(begin, tmp_path_factory.mktemp("browser")), "given": given}


def test_the_browser_reads_what_is_committed_and_what_python_makes_now(done: dict[str, Any]) -> None:
    wanted = {name: _outcome(vector) for name, vector in _committed().items()}
    wanted |= {f"now: {name}": {"reason": reason} for name, (_served, reason) in CASES.items()}
    wanted |= {f"now: {name}": _outcome(asked.to_json(WORLD)) for name, asked in INSTANCES.items()}
    different = {name: (outcome, wanted[name]) for name, outcome in done["opened"].items() if outcome != wanted[name]}
    assert different == {}
    assert done["opened"].keys() == wanted.keys()


def test_python_reads_what_the_browser_made(done: dict[str, Any]) -> None:
    for name, asked in interchange.to_seal(WORLD).items():
        served = replace(
            WORLD.served,
            envelope=done["sealed"][name],
            binding=Binding.of(asked["binding"]),
            oldest_epoch=1,
            author=WORLD.alice.kid,
        )
        assert served.opened() == bytes.fromhex(asked["plaintext"]), name
        assert replace(served, author=WORLD.carol.kid).refused() is Reason.ENVELOPE_AUTHOR


def test_a_browser_is_a_member_of_which_no_key_comes_out(done: dict[str, Any]) -> None:
    assert done["mine"] == {
        "its own": {"plaintext": PLAINTEXT.hex()},
        "stale": {"reason": Reason.ENVELOPE_EPOCH_STALE},
    }
    assert done["secret"] == [True] * len(done["secret"])
    assert len(done["secret"]) == 2 * (2 + 3)
    joined: Served = done["given"]["joined"]
    assert replace(joined, envelope=done["sealed"]["its own"]).opened() == PLAINTEXT
    # What it wrote counts as a member's, and was not a member's before it came.
    chain = epoch.Chain.verified(BINDING.environment, PROJECT, joined.records, epoch.Pin(*WORLD.pin(2)))
    assert len(chain.epochs) == 3


@pytest.mark.parametrize("path", [interchange.PYTHON, interchange.BROWSER], ids=lambda path: path.name)
def test_python_reads_the_committed_vectors(path: Any) -> None:
    vectors = interchange.read(path)
    for name, vector in vectors.items():
        served = interchange.of_json(vector)
        if "reason" in vector:
            assert served.refused() == vector["reason"], name
        else:
            assert served.opened().hex() == vector["plaintext"], name
    assert sum("reason" in vector for vector in vectors.values()) > len(vectors) / 3


def test_python_reads_the_committed_vectors_of_instances() -> None:
    vectors = interchange.read(interchange.INSTANCES)
    for name, vector in vectors.items():
        served = interchange.of_json(vector)
        wanted = vector.get("reason") or bytes.fromhex(vector["plaintext"])
        asked = vector["instance"]
        try:
            binding = instance.binding(BINDING.environment, PROJECT, uuid.UUID(asked["id"]), asked["name"])
            outcome: object = replace(served, binding=binding).opened()
        except RefusedError as refused:
            outcome = refused.reason
        assert outcome == wanted, name
    assert sum("reason" in vector for vector in vectors.values()) > len(vectors) / 3


def _committed() -> dict[str, Any]:
    """What Python made, and what the browser made when that was committed."""
    files = (interchange.PYTHON, interchange.BROWSER, interchange.INSTANCES)
    return {f"{path.name}: {name}": vector for path in files for name, vector in interchange.read(path).items()}


def _outcome(vector: dict[str, Any]) -> dict[str, str]:
    return {name: vector[name] for name in ("plaintext", "reason") if name in vector}
