# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages say about the repository is so: targets of make, links, paths, playbooks, variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types import TYPES

CHECKOUT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "roles/*/README.md", "*/README.md", "platform/components/*/README.md", "examples/*/README.md")
    for path in CHECKOUT.glob(pattern)
    if not any(part.startswith(".") for part in path.relative_to(CHECKOUT).parts)
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")


def _label(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", _text(CHECKOUT / "Makefile"), re.MULTILINE))


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    plain = re.sub(r"```.*?```", "", _text(page), flags=re.DOTALL)
    titles = re.findall(r"^#+ +(.+)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def _links(page: Path) -> Iterator[str]:
    yield from (target for target in _LINK.findall(_text(page)) if not re.match(r"[a-z]+:", target))


@pytest.mark.parametrize("page", PAGES, ids=_label)
def test_every_target_of_make_exists(page: Path) -> None:
    named = {name for code in _CODE.findall(_text(page)) for name in _TARGET.findall(code)}
    assert named - _targets() == set()


@pytest.mark.parametrize("page", PAGES, ids=_label)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _links(page):
        file, _separator, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=_label)
def test_every_file_of_the_repository_that_is_named_exists(page: Path) -> None:
    top = {path.name for path in CHECKOUT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    # What a run makes is there or not.
    top -= {"deploy", "logs", "reports"}
    missing = []
    for name in re.findall(r"`([\w.-]+/[\w./-]+)`", _text(page)):
        # A role's own page names its files from the role.
        roots = (CHECKOUT, page.parent)
        if name.split("/")[0] in top and not any((root / name).exists() for root in roots):
            missing.append(name)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=_label)
def test_every_playbook_that_is_run_exists(page: Path) -> None:
    named = set(re.findall(r"playbooks/[a-z_]+\.yml", _text(page)))
    assert {name for name in named if not (CHECKOUT / name).exists()} == set()


def test_the_runbook_lists_every_public_target() -> None:
    public = set(re.findall(r"^([a-z][a-z-]*):.*## ", _text(CHECKOUT / "Makefile"), re.MULTILINE))
    assert public - set(_TARGET.findall(_text(CHECKOUT / "docs" / "runbook.md"))) == set()


def test_the_runbook_lists_every_variable_of_make() -> None:
    given: dict[str, set[str]] = {}
    for name, variable in re.findall(r"\$\(if \$\(([A-Z_]+)\),-e ([a-z_]+)=", _text(CHECKOUT / "Makefile")):
        given.setdefault(name, set()).add(variable)
    rows = re.findall(r"^\| `([A-Z_]+)` \| [a-z].*\| ([^|]+) \|$", _variables(), re.MULTILINE)
    assert {name: set(re.findall(r"`([a-z_]+)`", variables)) for name, variables in rows} == given


def test_variables_of_a_run_have_the_defaults_that_the_runbook_says() -> None:
    known = yaml.safe_load(_text(CHECKOUT / "playbooks" / "vars" / "run.yml"))
    rows = re.findall(r"^\| (`parity_[^|]+) \|.*\| ([^|]+) \|$", _variables(), re.MULTILINE)
    named = {name: default for names, default in rows for name in re.findall(r"`(parity_[a-z_]+)`", names)}
    assert set(named) - set(known) == set()
    # A default that is computed is described, one that is a plain value is repeated.
    plain = {name: str(known[name]) for name in named if known[name] != "" and "{{" not in str(known[name])}
    assert {name: named[name].strip("`") for name in plain} == plain


def test_inventories_say_the_mode_and_nothing_else() -> None:
    for file in CHECKOUT.glob("inventories/*/group_vars/all.yml"):
        assert yaml.safe_load(_text(file)) == {"mode": file.parents[1].name}


def _variables() -> str:
    return _text(CHECKOUT / "docs" / "runbook.md").partition("\n## Variables\n")[2].partition("\n## ")[0]


def test_every_named_package_has_a_reason_in_the_readme_of_requirements() -> None:
    readme = _text(CHECKOUT / "requirements" / "README.md")
    named = set(re.findall(r"[A-Za-z][A-Za-z0-9-]+", " ".join(re.findall(r"^\| ([^|`]+) \|", readme, re.MULTILINE))))
    for file in ("runtime.in", "test.in"):
        wanted = set(re.findall(r"^([A-Za-z][A-Za-z0-9-]*)", _text(CHECKOUT / "requirements" / file), re.MULTILINE))
        assert wanted - named == set()


def test_every_image_of_the_catalog_is_explained() -> None:
    readme = _text(CHECKOUT / "images" / "README.md")
    patterns = [re.escape(name).replace(r"\*", ".+") for name in re.findall(r"`([a-z][a-z0-9*-]+)`", readme)]
    catalog = yaml.safe_load(_text(CHECKOUT / "images" / "catalog.yml"))
    assert [name for name in catalog if not any(re.fullmatch(pattern, name) for pattern in patterns)] == []


def test_every_type_of_check_is_explained() -> None:
    section = _text(CHECKOUT / "docs" / "architecture.md").partition("\n## Checks\n")[2].partition("\n## ")[0]
    table = section.partition("\n| type | ")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines() for name in re.findall(r"`([a-z_]+)`", row.split(" | ")[0])}
    assert named == set(TYPES)


def test_every_workload_that_is_named_exists() -> None:
    there = set()
    for path in CHECKOUT.glob("platform/components/*/kubernetes/*.yaml"):
        for document in yaml.safe_load_all(_text(path)):
            if isinstance(document, dict) and "metadata" in document:
                there.add(f"{document['kind'].lower()}/{document['metadata']['name']}")
    workload = re.compile(r"`((?:deployment|statefulset|daemonset|job)/[a-z-]+)`")
    assert {name for page in PAGES for name in workload.findall(_text(page))} - there == set()


def test_every_package_of_module_utils_is_in_the_architecture() -> None:
    page = _text(CHECKOUT / "docs" / "architecture.md")
    packages = {path.parent.name for path in (CHECKOUT / "plugins" / "module_utils").glob("_*/__init__.py")}
    assert {name for name in packages if f"`{name}`" not in page} == set()


def test_every_decision_is_listed() -> None:
    folder = CHECKOUT / "docs" / "decisions"
    listed = set(_LINK.findall(_text(folder / "README.md")))
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}


def test_no_page_names_a_path_of_the_machine_it_was_written_on() -> None:
    path_of_a_machine = re.compile(r"/home/(?!me/)\w+|/root/")
    assert [_label(page) for page in PAGES if path_of_a_machine.search(_text(page))] == []
