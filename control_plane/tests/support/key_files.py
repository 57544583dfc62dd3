"""Key files that are not used, each with the name that they are refused by."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gpuaas.encryption import keys, member
from gpuaas.encryption.refusal import Reason, RefusedError
from support.envelopes import ENVIRONMENT

type Case = tuple[Callable[[Path], object], Reason]


def _changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return do


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir(0o700)


malformed = Reason.KEY_FILE_MALFORMED
CASES: dict[str, Case] = {
    "gone": (Path.unlink, Reason.KEY_FILE_MISSING),
    "a directory": (_directory, malformed),
    "read by the group": (lambda path: path.chmod(0o640), Reason.KEY_FILE_OPEN_TO_OTHERS),
    "read by others": (lambda path: path.chmod(0o604), Reason.KEY_FILE_OPEN_TO_OTHERS),
    "written by others": (lambda path: path.chmod(0o602), Reason.KEY_FILE_OPEN_TO_OTHERS),
    "empty": (lambda path: path.write_text(""), malformed),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:-60]), malformed),
    "much longer": (lambda path: path.write_bytes(path.read_bytes() + b" " * 8192), malformed),
    "of another version": (_changed(lambda document: document.update(version=2)), malformed),
    "with more": (_changed(lambda document: document.update(more=1)), malformed),
    "without a name": (_changed(lambda document: document.update(name="")), malformed),
    "without a key": (_changed(lambda document: document.pop("agree")), malformed),
    "with a public key alone": (_changed(lambda document: document["sign"].pop("d")), malformed),
    "with halves of two keys": (
        _changed(lambda document: document["sign"].update(d=keys.private(keys.generate())["d"])),
        malformed,
    ),
    "of another environment": (
        _changed(lambda document: document.update(environment="staging")),
        Reason.KEY_FILE_ENVIRONMENT,
    ),
}


def refused(case: Case, directory: Path) -> Reason | None:
    """The name under which the file is refused."""
    damage, _reason = case
    path = directory / "member.json"
    member.MemberKey.generate(ENVIRONMENT, "alice").save(path)
    damage(path)
    try:
        member.MemberKey.load(path, ENVIRONMENT)
    except RefusedError as error:
        return error.reason
    except OSError:
        pass  # Not by name.
    return None
