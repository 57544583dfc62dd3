# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make mutants of the rooms in rooms.toml, run their tests against each, and note which survive.

.cache/mutation-venv/bin/python tests/mutation/run.py [--mutants N] [ROOM ...]

Cosmic Ray makes the mutants and keeps what came of each. A run that was ended goes on where it stopped, as long as
neither the room nor its tests have changed. With --mutants no more than N of each room are tried: always the same
ones, drawn by their digests, and a larger N goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkItem

CHECKOUT = Path(__file__).resolve().parents[2]
ROOMS = CHECKOUT / "tests" / "mutation" / "rooms.toml"
MEASURED = CHECKOUT / "tests" / "mutation" / "measured.json"
CACHE = CHECKOUT / ".cache" / "mutation"
# Under this path the tests import the copy that is mutated, and the other collections as they are.
IMPORTED = CACHE / "import" / "ansible_collections"
TREE = IMPORTED / "gpuaas" / "parity"
# How tests are started, by the environment that a room names: the reference control plane's is its own.
STARTED = {
    "collection": [".venv/bin/python", "-m", "pytest", "--hypothesis-seed=0"],
    "control-plane": [".cache/control-plane-venv/bin/python", "-m", "pytest"],
}
# Each comparison becomes its opposite and its neighbour; more of a kind tells nothing more. `|` is left alone, since most
# stand in annotations, which nobody evaluates; so are decorators, without which a dataclass is none.
KEPT = re.compile(
    r"core/(ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt|Is_IsNot|IsNot_Is)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|Mod_Mul|FloorDiv_Mul|BitAnd_BitOr)"
    r"|ReplaceUnaryOperator_(Delete_Not|USub_UAdd)|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue|ReplaceAndWithOr"
    r"|ReplaceOrWithAnd|ReplaceBreakWithContinue|ReplaceContinueWithBreak|ExceptionReplacer|NumberReplacer|ZeroIterationForLoop)"
)


def copy_checkout() -> None:
    """A copy of what git has, since mutants are made in place."""
    shutil.rmtree(CACHE / "import", ignore_errors=True)
    TREE.mkdir(parents=True)
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=CHECKOUT, check=True, capture_output=True
    ).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, names)):
        if (CHECKOUT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, TREE / name)
    (installed,) = (CHECKOUT / ".venv" / "lib").glob("python3*/site-packages/ansible_collections")
    for collection in installed.iterdir():
        if collection.name != "gpuaas":
            (IMPORTED / collection.name).symlink_to(collection)


def digest_of(room: dict[str, Any]) -> str:
    """What a session depends on: the modules and the tests of a room, and which mutants are kept."""
    digest = hashlib.sha256(KEPT.pattern.encode())
    places = [path for pattern in room["modules"] for path in TREE.glob(pattern)]
    places += [path for test in room["tests"] if not test.startswith("-") for path in [TREE / test, *(TREE / test).rglob("*.py")]]
    for path in sorted(place for place in places if place.is_file()):
        digest.update(str(path.relative_to(TREE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def rank(item: WorkItem) -> str:
    """The place of a mutant in the draw."""
    (mutation,) = item.mutations
    return hashlib.sha256(f"{mutation.module_path} {mutation.operator_name} {mutation.occurrence}".encode()).hexdigest()


def changed_lines(diff: str) -> tuple[str, str]:
    """The line as it is, and as the mutant has it."""
    rows = [line for line in diff.splitlines() if not line.startswith(("+++", "---"))]
    return tuple(" ".join(line[1:].strip() for line in rows if line.startswith(sign)) for sign in "-+")  # type: ignore[return-value]


def survivor(item: WorkItem, diff: str) -> dict[str, str]:
    """A mutant that no test killed, under a name that stays while its line does."""
    (mutation,) = item.mutations
    was, becomes = changed_lines(diff)
    module = str(mutation.module_path)
    name = hashlib.sha256("\0".join((module, was, becomes)).encode()).hexdigest()[:8]
    return {"id": name, "module": module, "in": mutation.definition_name or "", "was": was, "becomes": becomes}


def baseline(command: str) -> float:
    """The seconds that the tests take without a mutant; without a green run no mutant can be judged."""
    began = time.monotonic()
    done = subprocess.run(shlex.split(command), check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\nthe tests fail without a mutant: mend them first")
    return time.monotonic() - began


@contextmanager
def scratch() -> Iterator[None]:
    """A place for temporary files that goes when the tests have ended, or were ended and took nothing with them."""
    with tempfile.TemporaryDirectory(prefix="gpuaas-mutation-") as place:
        # Postgres runs as another user where the tests run as root.
        Path(place).chmod(0o755)
        os.environ["TMPDIR"] = place
        yield
        del os.environ["TMPDIR"]


def try_room(name: str, room: dict[str, Any], most: int | None) -> dict[str, Any]:
    """Try the mutants of a room that have not been tried, ``most`` in all; the score."""
    session = CACHE / f"{name}-{digest_of(room)}.sqlite"
    modules = sorted(path.relative_to(TREE) for pattern in room["modules"] for path in TREE.glob(pattern))
    python, *started = STARTED[room.get("environment", "collection")]
    command = shlex.join([str(CHECKOUT / python), *started, "-qqx", "--tb=no", *room["tests"]])
    with use_db(str(session), WorkDB.Mode.create) as database:
        if not database.num_work_items:
            init(modules, database, {})
        drawn = sorted((item for item in database.work_items if KEPT.fullmatch(item.mutations[0].operator_name)), key=rank)
        chosen = drawn[:most]
        tried = {item.job_id for item, _result in database.completed_work_items}
        pending = [item for item in chosen if item.job_id not in tried]
        # A test that a mutant keeps from ending has found it.
        limit = 10 + 5 * baseline(command) if pending else 0.0
        for number, item in enumerate(pending, 1):
            with scratch():
                result = mutate_and_test(item.mutations, command, limit)
            database.set_result(item.job_id, result)
            print(f"{name}: {number} of {len(pending)}: {result.test_outcome.value if result.test_outcome else 'no mutant'}", flush=True)
        wanted = {item.job_id for item in chosen}
        judged = [(item, result) for item, result in database.completed_work_items if item.job_id in wanted and result.test_outcome]
    left = [survivor(item, result.diff or "") for item, result in judged if result.test_outcome == TestOutcome.SURVIVED]
    left.sort(key=lambda one: (one["module"], one["was"], one["becomes"]))
    return {"mutants": len(drawn), "tried": len(judged), "killed": len(judged) - len(left), "survivors": left}


def main() -> int:
    """Try the rooms that are named, or all of them, and write measured.json."""
    rooms = tomllib.loads(ROOMS.read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, help="no more than this many of each room (default: all)")
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(rooms))
    given = parser.parse_args()
    if unknown := set(given.rooms) - set(rooms):
        parser.error(f"no room {', '.join(sorted(unknown))}; there are {', '.join(rooms)}")
    copy_checkout()
    os.chdir(TREE)
    os.environ.update(PYTHONPATH=str(IMPORTED.parent), PYTHONDONTWRITEBYTECODE="1")
    for name in given.rooms or rooms:
        score = try_room(name, rooms[name], given.mutants)
        measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
        MEASURED.write_text(json.dumps(measured | {name: score}, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        print(f"{name}: {score['killed']} of {score['tried']} killed, of {score['mutants']} mutants", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
