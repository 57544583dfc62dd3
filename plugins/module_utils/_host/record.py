# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was changed on this machine, in one file that outlives every platform, so that it can be undone.

It is written before the change that it names: what is killed halfway is recorded as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._host.upgrades import Change
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import ensure_dir, write_json

LIMITS = ("fs.inotify.max_user_instances", "fs.inotify.max_user_watches")
_VERSION = 1


@dataclass(frozen=True)
class Limit:
    """A kernel parameter: its value before, and the one that was set."""

    before: int
    after: int


@dataclass(frozen=True)
class Record:
    """Changes of a machine.

    ``packages`` were not installed before, ``changes`` were, in another version. ``files`` has the SHA-256 of each file that
    was written, by path. ``engine_boot`` is the boot during which the engine was started, empty if it was not. ``members``
    were added to the group docker, ``sockets`` are the users whom its socket was opened to.
    """

    packages: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    limits: dict[str, Limit] = field(default_factory=dict)
    engine_boot: str = ""
    members: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != Record()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the file or a result."""
        return {"version": _VERSION, **asdict(self)}

    def and_packages(self, added: Iterable[str], changes: Iterable[Change]) -> Record:
        """With an installation: a package that this record has is still one that was not there before."""
        found = {change.package: change for change in self.changes}
        for change in changes:
            if change.package not in self.packages:
                before = found.get(change.package)
                found[change.package] = replace(change, installed=before.installed if before else change.installed)
        packages = sorted({*self.packages, *(name for name in added if name not in found)})
        return replace(self, packages=tuple(packages), changes=tuple(found[name] for name in sorted(found)))

    def and_files(self, contents: Mapping[str, str]) -> Record:
        """With files of those contents, by path."""
        return replace(self, files={**self.files, **{path: digest(text.encode()) for path, text in contents.items()}})

    def and_limits(self, system: System, wanted: Mapping[str, int]) -> Record:
        """With limits that are raised to ``wanted``; what they were at first stays what they were."""
        limits = dict(self.limits)
        for name, after in wanted.items():
            now = system.number(f"/proc/sys/{name.replace('.', '/')}")
            known = limits.get(name)
            if now is not None and now != after:
                limits[name] = Limit(known.before if known and known.after == now else now, after)
        return replace(self, limits=limits)

    def and_engine(self, system: System) -> Record:
        """With an engine that is started."""
        return replace(self, engine_boot=boot_of(system))

    def and_user(self, system: System, user: str) -> Record:
        """With ``user`` in the group docker, unless the user was in it before, and the engine's socket opened to them."""
        members = self.members if user in members_of(system, "docker") else (*self.members, user)
        return replace(self, members=tuple(sorted(set(members))), sockets=tuple(sorted({*self.sockets, user})))


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def boot_of(system: System) -> str:
    """Which boot of the machine this is (random(4), boot_id)."""
    return system.text("/proc/sys/kernel/random/boot_id").strip() or "unknown"


def members_of(system: System, group: str) -> list[str]:
    """The users whom group(5) names as members of ``group``."""
    for line in system.text("/etc/group").splitlines():
        name, _password, _number, users = (*line.split(":"), "", "", "")[:4]
        if name == group:
            return [user for user in users.split(",") if user]
    return []


def read(path: Path) -> Record:
    """What is recorded; nothing where there is no file. Raises ParityError ``HOST_RECORD_INVALID``."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("version") != _VERSION:
            raise ValueError("its version is another")
        return Record(
            packages=tuple(map(str, found["packages"])),
            changes=tuple(Change(**change) for change in found["changes"]),
            files={str(name): str(value) for name, value in found["files"].items()},
            limits={str(name): Limit(**value) for name, value in found["limits"].items()},
            engine_boot=str(found["engine_boot"]),
            members=tuple(map(str, found["members"])),
            sockets=tuple(map(str, found["sockets"])),
        )
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParityError("HOST_RECORD_INVALID", f"{path} cannot be used: {error}") from None


def write(path: Path, record: Record) -> None:
    """Keep ``record``. Raises ParityError ``STATE_UNWRITABLE``."""
    ensure_dir(path.parent)
    write_json(path, record.as_dict())
