# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What running containers are configured with is what the contract says: settings, secrets, and nothing else."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.configuration import difference
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.folder import digests_in, sha256
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import environment, is_lasting_or_done, name_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.identity import AT, CLIENT

Object = dict[str, Any]


def families(contract: Object) -> set[str]:
    """The beginnings of names that only settings of the contract may have: ``GPUAAS_``, ``KC_`` and so on."""
    names = [name for service in contract["services"].values() for name in service.get("settings") or {}]
    return {f"{name.partition('_')[0]}_" for name in names if "_" in name}


@dataclass(frozen=True)
class ContainerConfiguration:
    """The containers of the component that run, or have done what they are for, have exactly the contract's settings in their environment.

    Other variables are the image's own business, unless their names begin as those of settings do and the image
    does not bring them with the same value. The files under ``folder`` are exactly the contract's secrets, equal to
    secrets/files/ by SHA-256, computed inside the container, or where it has no shell in another one that mounts the
    same volume; values of secrets are neither shown nor kept. Where a server has its secrets the files are what it logs in
    with, in a folder of their own.
    With ``certificates`` the folder holds besides those of every endpoint, which are no secrets of the contract:
    each equal to its file in tls/.
    """

    component: str
    certificates: bool = False
    folder: str = "/run/secrets/gpuaas"

    def run(self, context: Context) -> Observation:
        service = context.service(self.component)
        settings = {key: str(value) for key, value in (service.get("settings") or {}).items()}
        keys = {key: key for key in service.get("secrets") or {}}
        folder = self.folder
        if "identity" in service:
            keys, folder = CLIENT, AT
        running = [item for item in context.project.of(self.component) if is_lasting_or_done(item)]
        if not running:
            return failed("CONFIGURATION_DRIFT", f"no container of {self.component} runs in the project {context.project.name}")
        for container in running:
            wrong = self._settings(context, container, settings)
            if wrong:
                return failed("CONFIGURATION_DRIFT", wrong)
        wanted = {key: context.state_dir / "secrets" / "files" / self.component / file for key, file in keys.items()}
        if self.certificates:
            endpoints = context.contract["endpoints"]
            wanted |= {f"{name}.{end}": context.state_dir / "tls" / name / f"tls.{end}" for name in endpoints for end in ("crt", "key")}
        for container in running:
            wrong = self._files(context, container, folder, wanted)
            if wrong:
                return failed("CONFIGURATION_DRIFT", wrong)
        return passed(f"{self.component}: {len(settings)} settings and {len(keys)} secrets are the contract's")

    def _settings(self, context: Context, container: Object, wanted: dict[str, str]) -> str:
        name, has = name_of(container), environment(container)
        brought = environment(context.project.image(str(container.get("Image"))) or {})
        ours = tuple(families(context.contract))
        found = {key for key in has if key in wanted or (key.startswith(ours) and brought.get(key) != has[key])}
        differs = difference(found, set(wanted))
        if differs:
            return f"the environment of {name} {differs}"
        changed = [key for key in sorted(wanted) if has[key] != wanted[key]]
        return f"{name}: {changed[0]} is {has[changed[0]]!r}, the contract says {wanted[changed[0]]!r}" if changed else ""

    def _files(self, context: Context, container: Object, folder: str, wanted: dict[str, Path]) -> str:
        name = name_of(container)
        found = digests_in(context, container, folder)
        if found is None:
            return f"the files in {folder} of {name} cannot be read"
        differs = difference(set(found), set(wanted))
        if differs:
            return f"{folder} of {name} {differs}"
        for key, file in sorted(wanted.items()):
            try:
                ours = sha256(file)
            except OSError as error:
                return f"{key} of {name} cannot be compared: {file}: {error.strerror}"
            if not hmac.compare_digest(ours, found[key]):
                return f"{key} in {name} is not what {file} holds"
        return ""
