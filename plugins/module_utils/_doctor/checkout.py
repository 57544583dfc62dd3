# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the checkout itself stops a mode: its Python environment, its contract, files of its rendering edited by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform, load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.rendered import Place as Rendered
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.rendered import with_record
from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.model import Condition, Place
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import markers

# `name==version ; marker \` as pip-compile writes it (PEP 508).
_LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>\S+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$")
_NAMED = 4
Versions = Callable[[str], str]


def check_environment(lock: Path, version: Versions = metadata.version) -> None:
    """Compare the Python environment that runs with the lock file. Raises ParityError ``REQUIREMENTS_OUTDATED``."""
    try:
        text = lock.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParityError("REQUIREMENTS_OUTDATED", f"{lock} cannot be read: {error}", "git checkout requirements/") from None
    wrong = []
    for name, wanted in _locked(text).items():
        try:
            found = version(name)
        except metadata.PackageNotFoundError:
            found = "missing"
        if found != wanted:
            wrong.append(f"{name} is {found}, locked is {wanted}")
    if wrong:
        more = f", and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        raise ParityError("REQUIREMENTS_OUTDATED", ", ".join(wrong[:_NAMED]) + more)


def _locked(text: str) -> dict[str, str]:
    """Name to version of what the lock wants on this Python."""
    found = (_LOCKED.match(line) for line in text.splitlines())
    wanted = [match for match in found if match and (match["marker"] is None or markers.Marker(match["marker"]).evaluate())]
    return {match["name"]: match["version"] for match in wanted}


def check_rendering(place: Place, conditions: Mapping[str, Condition]) -> None:
    """Render every mode in memory and compare with what lies on disk; each condition gets what is refused."""
    try:
        platform = load_platform(place.platform)
    except ParityError as error:
        for condition in conditions.values():
            condition.add(error)
        return
    for condition in conditions.values():
        condition.look(partial(_render, place, platform, condition))


def _render(place: Place, platform: Platform, condition: Condition) -> None:
    mode = condition.mode
    if mode not in platform.mode_names:
        raise ParityError("CONTRACT_UNKNOWN_MODE", f"{platform.folder}/modes/{mode}.yml does not exist", "git checkout platform/modes")
    found = platform.mode(mode, place.instance)
    where = Rendered.of(place.state_dir(mode), place.compose_dir if found.target == "compose" else None)
    rendering = render_mode(platform, found, place.lane or platform.contract.defaults["lane"], where.paths(place.root))
    condition.contract = rendering.contract
    where.current(with_record(rendering.tree))
