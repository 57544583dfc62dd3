# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role may do about the problems of a preflight, on a machine of the Debian family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.apt import base_archive
from ansible_collections.gpuaas.parity.plugins.module_utils._host.facts import HostFacts
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System

# Debian 12 has an engine that is too old; the suite after it has one that is not.
OLD_SUITE, _NEW_SUITE = "bookworm", "trixie"
# apt_preferences(5): without the pin the next upgrade would take everything from there.
_ONLY_BY_NAME = f"""\
# Written by gpuaas.parity: only what is asked for by name comes from this suite.
Package: *
Pin: release n={_NEW_SUITE}
Pin-Priority: 100
"""


@dataclass(frozen=True)
class Plan:
    """Changes to the machine, each of which the role announces and a setting can forbid.

    ``suite``, ``sources`` and ``preferences`` are set when ``packages`` come from a suite
    that has to be added to apt first, and ``keyring`` when that suite has a key of its own;
    ``plain_packages`` come from what is configured. ``origin`` names in words where ``packages`` come from.
    """

    packages: tuple[str, ...] = ()
    plain_packages: tuple[str, ...] = ()
    suite: str = ""
    sources: str = ""
    preferences: str = ""
    keyring: str = ""
    origin: str = "the machine's own suite"
    start: bool = False
    raise_limits: bool = False
    grant: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a result."""
        return {**asdict(self), "packages": list(self.packages), "plain_packages": list(self.plain_packages)}


def plan(system: System, facts: HostFacts, problems: Sequence[ParityError]) -> Plan:
    """The changes that would solve ``problems`` as far as a machine may be changed for it.

    Nothing is planned without root or sudo, and an engine of another origin than
    the distribution (its dockerd is not in /usr/sbin) is never replaced.
    """
    reasons = {problem.reason for problem in problems}
    if facts.privilege == "none" or "HOST_DOCKER_REMOTE" in reasons:
        return Plan()
    start = "HOST_DOCKER_UNREACHABLE" in reasons and bool(facts.dockerd)
    limits, grant = "HOST_INOTIFY" in reasons, "HOST_DOCKER_PERMISSION" in reasons
    if "debian" not in (facts.os_id, *facts.os_like):
        return Plan(start=start, raise_limits=limits, grant=grant)
    engine = _engine_wanted(facts, reasons)
    packages = ["docker.io"] if engine else []
    if engine or "HOST_BUILDX_MISSING" in reasons:
        packages.append("docker-buildx")
    # The plugin of another origin's engine comes from there.
    if "HOST_COMPOSE_MISSING" in reasons and not facts.dockerd.startswith("/usr/bin/"):
        packages.append("docker-compose-v2" if "ubuntu" in (facts.os_id, *facts.os_like) else "docker-compose")
    # apt goes by the suite that is configured, whatever the release file says.
    old = base_archive(system, OLD_SUITE) if packages else None
    if engine and (old or facts.os_id == "debian"):
        # A package of its own since Debian 13; elsewhere part of docker.io.
        packages.append("docker-cli")
    return Plan(
        packages=tuple(packages),
        plain_packages=("mmdebstrap",) if "HOST_MMDEBSTRAP_MISSING" in reasons else (),
        suite=_NEW_SUITE if old else "",
        sources=old.deb822(_NEW_SUITE) if old else "",
        preferences=_ONLY_BY_NAME if old else "",
        origin=f"{_NEW_SUITE} of the archive it already uses" if old else Plan.origin,
        start=start,
        raise_limits=limits,
        grant=grant,
    )


def _engine_wanted(facts: HostFacts, reasons: set[str]) -> bool:
    """Whether the distribution's engine is to be installed or upgraded."""
    missing = "HOST_DOCKER_MISSING" in reasons or ("HOST_DOCKER_UNREACHABLE" in reasons and not facts.dockerd)
    # The distribution's dockerd is in /usr/sbin, Docker's own package puts it in /usr/bin.
    replaceable = not facts.dockerd.startswith("/usr/bin/")
    return missing or ("HOST_DOCKER_TOO_OLD" in reasons and replaceable)
