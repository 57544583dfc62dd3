# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Docker comes from when the machine's own suite is too old: Docker's own archive if that answers, else the next suite.

https://docs.docker.com/engine/install/debian/ names the archive's layout, its packages and the fingerprint of its key.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.apt import configured
from ansible_collections.gpuaas.parity.plugins.module_utils._host.plan import OLD_SUITE, Plan
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System

KEYRING = "/etc/apt/keyrings/gpuaas-parity.asc"
# apt accepts no other key of that file: sources.list(5), Signed-By.
_FINGERPRINT = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"
# The distribution's packages and Docker's, which take each other's place.
_DOCKERS = {
    "docker.io": ("docker-ce", "containerd.io"),
    "docker-cli": ("docker-ce-cli",),
    "docker-buildx": ("docker-buildx-plugin",),
    "docker-compose": ("docker-compose-plugin",),
}
_HELPER = "/usr/lib/apt/apt-helper"
_PATIENCE = 8


def choose(system: System, wanted: Plan, archive: str) -> Plan:
    """``wanted``, with the engine from ``archive`` in place of the next suite where that archive answers.

    ``archive`` is the address above the folder of a distribution; empty for none. Only an engine that the machine's own
    suite does not have is looked for there.
    """
    if not archive or not wanted.suite or "docker.io" not in wanted.packages:
        return wanted
    packages = tuple(package for name in wanted.packages for package in _DOCKERS.get(name, (name,)))
    plain = replace(wanted, packages=packages, suite="", sources="", preferences="", origin="Docker's own archive")
    address = f"{archive.rstrip('/')}/debian"
    if any(found.uri.rstrip("/") == address for found in configured(system)):
        return plain
    keyring = _fetch(system, f"{address}/gpg")
    if not keyring or not _fetch(system, f"{address}/dists/{OLD_SUITE}/Release"):
        return wanted
    lines = ["Types: deb", f"URIs: {address}", f"Suites: {OLD_SUITE}", "Components: stable", f"Signed-By: {KEYRING} {_FINGERPRINT}"]
    return replace(plain, sources="\n".join(lines) + "\n", keyring=keyring)


def _fetch(system: System, uri: str) -> str:
    """What lies at ``uri``, asked for as apt asks, with its proxies and its CA bundle; empty when there is no answer."""
    with tempfile.TemporaryDirectory(prefix="gpuaas-parity-apt-") as directory:
        file = Path(directory) / "answer"
        patience = [f"Acquire::{scheme}::Timeout={_PATIENCE}" for scheme in ("http", "https")]
        options = [part for option in (*patience, "Acquire::Retries=0", "APT::Sandbox::User=root") for part in ("-o", option)]
        try:
            done = system.runner([_HELPER, *options, "download-file", uri, str(file)], check=False, timeout=4.0 * _PATIENCE)
            return file.read_text(encoding="utf-8", errors="replace") if done.rc == 0 else ""
        except (ParityError, OSError):
            return ""
