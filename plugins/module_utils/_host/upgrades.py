# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an installation would do to packages that are there already: apt simulates it, and nothing is changed."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.origin import KEYRING
from ansible_collections.gpuaas.parity.plugins.module_utils._host.plan import Plan
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System

# Names of process 1 on a machine that somebody keeps; a container's is its program.
_INIT = re.compile(r"init\b.*|systemd|openrc-init|runit|s6-svscan|dinit|shepherd")
# A new package has no version in square brackets, apt-get(8) --simulate.
_UPGRADED = re.compile(r"^Inst (?P<package>\S+) \[(?P<installed>[^\]]+)\] \((?P<new>\S+)", re.MULTILINE)
_ADDED = re.compile(r"^Inst (?P<package>\S+) \(", re.MULTILINE)
_REMOVED = re.compile(r"^Remv (?P<package>\S+) \[(?P<installed>[^\]]+)\]", re.MULTILINE)
_UPDATE_SECONDS = 600.0
_OPTIONS = (
    # Updates that the machine makes by itself hold the lock for a while.
    "--option=DPkg::Lock::Timeout=120",
    # dpkg(1): a configuration file that somebody edited is neither replaced nor asked about.
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
    "--option=APT::Keep-Downloaded-Packages=false",
)


@dataclass(frozen=True)
class Change:
    """An installed package and its version now; ``new`` is the version to come, empty where it would be removed."""

    package: str
    installed: str
    new: str = ""

    def __str__(self) -> str:
        return f"{self.package} {self.installed} -> {self.new or 'removed'}"

    def as_dict(self) -> dict[str, str]:
        """Plain data for a result."""
        return asdict(self)


def changes(simulated: str) -> list[Change]:
    """The installed packages that ``apt-get --simulate`` says it would upgrade, downgrade or remove, by name."""
    found = [Change(**line.groupdict()) for pattern in (_UPGRADED, _REMOVED) for line in pattern.finditer(simulated)]
    return sorted(set(found), key=lambda change: change.package)


def additions(simulated: str) -> list[str]:
    """The packages that are not installed and that ``apt-get --simulate`` says it would install, by name."""
    return sorted({line["package"] for line in _ADDED.finditer(simulated)})


@dataclass(frozen=True)
class Simulated:
    """What an installation would do: the installed packages that change, and the names of those that come."""

    changes: list[Change]
    additions: list[str]


def commands(wanted: Plan) -> list[list[str]]:
    """What root types to install the packages of ``wanted``, and nothing besides, once apt knows its suite.

    ansible.builtin.apt would first install python3-apt, with what that needs, where the machine lacks it.
    """
    return [["apt-get", "update", "-qq"], *(["apt-get", "install", "--yes", *_OPTIONS, *what] for what in _installs(wanted))]


def _installs(wanted: Plan) -> Iterator[list[str]]:
    """The arguments of each installation."""
    if wanted.packages:
        suite = [f"--target-release={wanted.suite}"] if wanted.suite else []
        yield ["--no-install-recommends", *suite, *wanted.packages]
    if wanted.plain_packages:
        yield [*wanted.plain_packages]


def simulate(system: System, wanted: Plan) -> Simulated:
    """What installing the packages of ``wanted`` would do; its suite is known to this simulation alone.

    Reads the package lists of the archives, as an installation does. Raises ParityError
    ``COMMAND_FAILED`` with what apt said, ``COMMAND_MISSING``, ``COMMAND_TIMEOUT``.
    """
    with tempfile.TemporaryDirectory(prefix="gpuaas-parity-apt-") as directory:
        apt = ["apt-get", f"--config-file={_beside(system, wanted, Path(directory))}"]

        def said(*arguments: str) -> str:
            # apt is configured by the environment too: proxies are.
            environment = {**os.environ, "LC_ALL": "C.UTF-8"}
            return system.runner([*apt, *arguments], timeout=_UPDATE_SECONDS, env=environment).stdout

        said("update", "-qq")
        text = "".join(said("install", "--simulate", *what) for what in _installs(wanted))
        return Simulated(changes(text), additions(text))


def _beside(system: System, wanted: Plan, directory: Path) -> Path:
    """A configuration with which apt keeps its lists in ``directory``, and has the suite of ``wanted`` beside its own."""
    keyring = directory / "keyring.asc"
    keyring.write_text(wanted.keyring)
    for name, added in (("sources.list.d/gpuaas-parity.sources", wanted.sources), ("preferences.d/gpuaas-parity", wanted.preferences)):
        place = directory / name
        place.parent.mkdir()
        own = system.root / "etc/apt" / place.parent.name
        for file in sorted(own.iterdir()) if own.is_dir() else ():
            if file.is_file():
                (place.parent / file.name).write_text(system.text(f"/{file.relative_to(system.root)}"))
        if added:
            place.write_text(added.replace(KEYRING, str(keyring)))
    for name in ("lists/partial", "cache/archives/partial"):
        (directory / name).mkdir(parents=True)
    configuration = directory / "apt.conf"
    configuration.write_text(
        f'Dir::Etc::sourceparts "{directory}/sources.list.d";\n'
        f'Dir::Etc::preferencesparts "{directory}/preferences.d";\n'
        f'Dir::State::lists "{directory}/lists";\n'
        f'Dir::Cache "{directory}/cache";\n'
        # Its own user cannot read a private directory.
        'APT::Sandbox::User "root";\n'
        # What the machine does after it has read its lists is not for these.
        "#clear APT::Update::Post-Invoke;\n"
        "#clear APT::Update::Post-Invoke-Success;\n"
    )
    return configuration


def is_disposable(system: System) -> bool:
    """Whether nobody keeps this machine: CI says so, or process 1 is known and no init system."""
    if system.environ.get("CI", "").lower() not in ("", "0", "false", "no"):
        return True
    first = system.text("/proc/1/comm").strip()
    return bool(first) and _INIT.fullmatch(first) is None


def refuse(found: Sequence[Change], wanted: Plan) -> ParityError:
    """The error that lists all of ``found``, for a machine whose user has not agreed."""
    return ParityError(
        "HOST_UPGRADE_REFUSED",
        "\n".join([f"installing {', '.join((*wanted.packages, *wanted.plain_packages))} would change these packages:", *_lines(found)]),
        details={"changes": [change.as_dict() for change in found]},
    )


def announce(found: Sequence[Change]) -> str:
    """Everything that is going to change, a line for each package."""
    return "\n".join(["these installed packages change with it:", *_lines(found)])


def _lines(found: Sequence[Change]) -> Iterator[str]:
    return (f"  {change}" for change in found)
