# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role has a README and an interface, and the interface is what the role has defaults for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
ROLES = sorted(path for path in (CHECKOUT / "roles").iterdir() if path.is_dir())


def _name(role: Path) -> str:
    return role.name


def _yaml(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def _entry_points(role: Path) -> dict[str, Any]:
    return dict(_yaml(role / "meta" / "argument_specs.yml")["argument_specs"])


@pytest.mark.parametrize("role", ROLES, ids=_name)
def test_has_a_readme_under_its_own_name(role: Path) -> None:
    assert (role / "README.md").read_text(encoding="utf-8").startswith(f"# {role.name}\n")


@pytest.mark.parametrize("role", ROLES, ids=_name)
def test_has_metadata(role: Path) -> None:
    about = _yaml(role / "meta" / "main.yml")["galaxy_info"]
    assert about["license"] == "GPL-3.0-or-later"
    assert about["description"]


@pytest.mark.parametrize("role", ROLES, ids=_name)
def test_options_are_the_defaults(role: Path) -> None:
    defaults = _yaml(role / "defaults" / "main.yml")
    options: dict[str, Any] = {}
    for entry_point in _entry_points(role).values():
        options |= entry_point["options"]
    assert set(defaults) == {name for name, option in options.items() if not option.get("required")}
    stated = {name: option["default"] for name, option in options.items() if "default" in option}
    assert stated == {name: defaults[name] for name in stated}
    # A default that is computed cannot be stated as a value of the option's type; it is described.
    assert [name for name in set(defaults) - set(stated) if "{{" not in str(defaults[name])] == []


@pytest.mark.parametrize("role", ROLES, ids=_name)
def test_options_bear_the_name_of_the_role(role: Path) -> None:
    names = {name for entry_point in _entry_points(role).values() for name in entry_point["options"]}
    assert {name for name in names if not name.startswith(f"{role.name}_")} == set()


@pytest.mark.parametrize("role", ROLES, ids=_name)
def test_every_entry_point_that_a_playbook_uses_has_an_interface(role: Path) -> None:
    used = set()
    for playbook in [*(CHECKOUT / "playbooks").rglob("*.yml"), *(CHECKOUT / "roles").glob("*/tasks/*.yml")]:
        imports = _imports(yaml.safe_load(playbook.read_text(encoding="utf-8")))
        used |= {one.get("tasks_from", "main") for one in imports if one["name"] == f"gpuaas.parity.{role.name}"}
    assert used - set(_entry_points(role)) == set()


def _imports(node: Any) -> list[dict[str, Any]]:
    """Every import_role and include_role below ``node``."""
    found: list[dict[str, Any]] = []
    if isinstance(node, list):
        for item in node:
            found += _imports(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("ansible.builtin.import_role", "ansible.builtin.include_role"):
                found.append(value)
            else:
                found += _imports(value)
    return found
