# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive this machine already installs from, so that another suite of it can be added.

Its address is not written down in this collection: it is read from the
one-line lists and the deb822 files of the machine (sources.list(5)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System

_SECURITY = re.compile(r"-(security|updates|backports|proposed)")
_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$")


@dataclass(frozen=True)
class Archive:
    """One configured archive: where, which suite, and the keyring that vouches for it (empty: apt's default)."""

    uri: str
    suite: str
    signed_by: str = ""

    def deb822(self, suite: str) -> str:
        """A sources file for ``suite`` of the same archive."""
        lines = ["Types: deb", f"URIs: {self.uri}", f"Suites: {suite}", "Components: main"]
        if self.signed_by:
            lines.append(f"Signed-By: {self.signed_by}")
        return "\n".join(lines) + "\n"


def base_archive(system: System, codename: str) -> Archive | None:
    """The archive that holds suite ``codename`` itself, not its security or update suites."""
    return next((found for found in configured(system) if found.suite == codename), None)


def configured(system: System) -> Iterator[Archive]:
    """Every archive and suite that apt is configured for, without security and update suites."""
    apt = system.root / "etc/apt"
    lists = sorted([apt / "sources.list", *(apt / "sources.list.d").glob("*.list")])
    for path in lists:
        yield from _one_line(system.text(f"/{path.relative_to(system.root)}"))
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        yield from _deb822(system.text(f"/{path.relative_to(system.root)}"))


def _one_line(text: str) -> Iterator[Archive]:
    for line in text.splitlines():
        found = _ONE_LINE.match(line.split("#")[0].strip())
        if found and not _SECURITY.search(found["suite"]):
            options = dict(pair.split("=", 1) for pair in (found["options"] or "").split() if "=" in pair)
            yield Archive(found["uri"], found["suite"], options.get("signed-by", ""))


def _deb822(text: str) -> Iterator[Archive]:
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if line and not line.startswith(("#", " ", "\t"))]
        fields = {key.strip().lower(): value.strip() for key, _separator, value in (line.partition(":") for line in lines)}
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        signed_by = fields.get("signed-by", "")
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                if not _SECURITY.search(suite):
                    # A key written into the file itself cannot be named from another file.
                    yield Archive(uri, suite, signed_by if signed_by.startswith("/") else "")
