# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's secrets exist, all of them, and only their owner can read them."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed

# What else only its owner may read, by target: the key to the cluster, or what only this machine knows.
_OF_TARGET = {"kubernetes": ("kubeconfig",), "compose": ("machine.yml",)}


def _modes(state_dir: Path, also: tuple[str, ...]) -> list[str]:
    wrong = []
    for top in (state_dir, state_dir / "secrets", state_dir / "tls"):
        if stat.S_IMODE(top.stat().st_mode) & 0o077:
            wrong.append(f"{top} is {stat.S_IMODE(top.stat().st_mode):04o}, not 0700")
    paths = [*(state_dir / name for name in also), *(state_dir / "secrets").rglob("*"), *(state_dir / "tls").rglob("*.key")]
    for path in paths:
        mode = path.lstat()
        if stat.S_IMODE(mode.st_mode) & 0o077 or mode.st_uid != os.getuid():
            wrong.append(f"{path} is {stat.S_IMODE(mode.st_mode):04o} of user {mode.st_uid}")
    return wrong


@dataclass(frozen=True)
class PrivateFiles:
    """Every secret that the contract names has a value, and secrets, keys and kubeconfig are their owner's alone."""

    targets: ClassVar[frozenset[str]] = HERE

    def run(self, context: Context) -> Observation:
        try:
            wrong = _modes(context.state_dir, _OF_TARGET.get(context.target, ()))
        except OSError as error:
            return failed("SECRETS_EXPOSED", f"{error.filename}: {error.strerror}")
        if wrong:
            return failed("SECRETS_EXPOSED", "; ".join(wrong[:5]), paths=wrong)
        names = sorted(context.contract.get("secrets") or {})
        missing = []
        for name in names:
            try:
                context.secret(name)
            except KeyError:
                missing.append(name)
        if missing:
            return failed("SECRETS_EXPOSED", f"secrets.yml lacks {', '.join(missing)}")
        return passed(f"{len(names)} secrets, private")
