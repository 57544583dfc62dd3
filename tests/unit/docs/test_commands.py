# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command that the pages for users show is run by a stage of `make test`, or by a test below."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
PAGES = [CHECKOUT / name for name in ("README.md", "docs/runbook.md", "examples/minimal/README.md")]
# In prose, "make" is a word; as code, it is the program.
_CODE = re.compile(r"```.*?```|`[^`\n]+`|^ {4}[^\n]+", re.DOTALL | re.MULTILINE)
_TARGET = re.compile(r"\bmake ([a-z]+(?:-[a-z]+)*)(?![\w-])")
_VERB = re.compile(r"\bmake ((?:local-dev|kind-parity|parity)-[a-z-]+)")
_PLAYBOOK = re.compile(r"\bansible-playbook [^\n`]*?((?:gpuaas\.parity\.|playbooks/)[\w<>]+)")

_COMPOSE = "tests/verbs/test_compose.py"
_KIND = "tests/verbs/test_kind.py"
# What a user types -> the file that runs it, and the words that do.
RUN_BY = {
    "make local-dev-up": (_COMPOSE, '"local-dev-up"'),
    "make local-dev-status": (_COMPOSE, '"local-dev-status"'),
    "make local-dev-validate": ("molecule/compose/verify.yml", "local-dev-validate"),
    "make local-dev-drift": (_COMPOSE, '"local-dev-drift"'),
    "make local-dev-logs": (_COMPOSE, '"local-dev-logs"'),
    "make local-dev-reset": ("tests/local_dev/test_loop.py", '"local-dev-reset"'),
    "make local-dev-reseed": (_COMPOSE, '"local-dev-reseed"'),
    "make local-dev-down": ("molecule/compose/destroy.yml", "local-dev-down"),
    "make kind-parity-up": ("molecule/default/restart.yml", "kind-parity-up"),
    "make kind-parity-status": (_KIND, '"kind-parity-status"'),
    "make kind-parity-validate": ("molecule/default/verify.yml", "kind-parity-validate"),
    "make kind-parity-drift": (_KIND, '"kind-parity-drift"'),
    "make kind-parity-logs": (_KIND, '"kind-parity-logs"'),
    "make kind-parity-reset": ("tests/instances/run", "kind-parity-reset"),
    "make kind-parity-list": (_KIND, '"kind-parity-list"'),
    "make kind-parity-down": ("molecule/default/destroy.yml", "kind-parity-down"),
    "make parity-render": (_KIND, '"parity-render"'),
    "make parity-diff": (_KIND, '"parity-diff"'),
    "make parity-doctor": (_KIND, '"parity-doctor"'),
    "make parity-gate": (_KIND, '"parity-gate"'),
    "make parity-secrets-rotate": ("molecule/default/restart.yml", "parity-secrets-rotate"),
    "make parity-deadletters": ("tests/instances/run", "parity-deadletters"),
    "make parity-stream-rebuild": ("tests/instances/run", "parity-stream-rebuild"),
    "make parity-journal-verify": ("tests/instances/run", "parity-journal-verify"),
    "make parity-journal-restore": ("tests/instances/run", "parity-journal-restore"),
    "make parity-trace": ("tests/instances/traces.py", '"parity-trace"'),
    "make clean-cache": ("tests/unit/images/test_clean_cache.py", '"clean-cache"'),
    "make host-undo": ("tests/unit/host/test_undo_verb.py", '"host-undo"'),
    "make test": (".ci/run", "exec make test"),
    "make lint": ("tests/run", "together lint "),
    "make unit": ("tests/run", "in unit "),
    "make molecule": ("tests/run", " compose kind "),
    "make bench": ("Makefile", "@tests/run bench"),  # judges nothing, so no stage demands it
    "make test-crypto": ("control_plane/pyproject.toml", 'testpaths = ["tests"]'),  # part of the control plane's stage
    "make test-faults": ("tests/run", " some_faults;"),
    "make test-mutation": ("Makefile", "@tests/run mutation"),  # hours, and judges the tests: no stage demands it
    "make help": (__file__, "def test_help_lists_every_target"),
    "make clean": (__file__, "def test_clean_removes"),
    "ansible-playbook playbooks/up": ("molecule/default/molecule.yml", "converge: ../../playbooks/up.yml"),
    "ansible-playbook playbooks/render": (_KIND, '"playbooks/render.yml", "--check", "--diff"'),
    "ansible-playbook playbooks/validate": ("tests/unit/shared/test_shared.py", "parity_address=127.0.0.1"),
    "ansible-playbook gpuaas.parity.up": ("tests/minimal/run", "play up"),
    "ansible-playbook gpuaas.parity.validate": ("tests/minimal/run", "play validate"),
    "ansible-playbook gpuaas.parity.down": ("tests/minimal/run", "play down"),
}


def _shown(page: Path) -> set[str]:
    """The commands that a page shows, without their arguments."""
    text = html.unescape(page.read_text(encoding="utf-8"))
    targets = {*_VERB.findall(text), *(target for code in _CODE.findall(text) for target in _TARGET.findall(code))}
    found = {f"make {target}" for target in targets} | {f"ansible-playbook {playbook}" for playbook in _PLAYBOOK.findall(text)}
    return {command for command in found if "<" not in command}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_command_that_is_shown_is_run(page: Path) -> None:
    assert _shown(page) - RUN_BY.keys() == set()


def test_no_command_is_listed_that_no_page_shows() -> None:
    assert RUN_BY.keys() - set.union(*map(_shown, PAGES)) == set()


@pytest.mark.parametrize("command", RUN_BY)
def test_what_runs_it_does(command: str) -> None:
    file, words = RUN_BY[command]
    assert words in (CHECKOUT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("suite", [_COMPOSE, _KIND, "tests/local_dev", "tests/instances/run", "tests/minimal/run"])
def test_every_suite_is_part_of_a_stage(suite: str) -> None:
    stages = [CHECKOUT / "tests" / "run", *(CHECKOUT / "molecule").glob("*/verify.yml")]
    assert any(suite in stage.read_text(encoding="utf-8") for stage in stages)


def _make(folder: Path, *arguments: str) -> str:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_help_lists_every_target() -> None:
    listed = set(re.findall(r"^  make ([a-z-]+)", _make(CHECKOUT, "help"), re.MULTILINE))
    assert {f"make {target}" for target in listed} == {command for command in RUN_BY if command.startswith("make ")}


def test_clean_removes_what_make_installed(tmp_path: Path) -> None:
    shutil.copy(CHECKOUT / "Makefile", tmp_path)
    for name in (".venv", ".cache", ".parity"):
        (tmp_path / name).mkdir()
    _make(tmp_path, "clean")
    assert {path.name for path in tmp_path.iterdir()} == {"Makefile", ".parity"}


@pytest.mark.parametrize("target", ["lint", "unit", "molecule", "bench", "test", "test-crypto", "test-faults", "test-mutation"])
def test_a_target_of_the_tests_runs_stages_that_exist(target: str) -> None:
    stages = set(re.findall(r"^  ([a-z-]+)\) ", (CHECKOUT / "tests" / "run").read_text(encoding="utf-8"), re.MULTILINE))
    run = set(re.findall(r"tests/run ([a-z-]+)", _make(CHECKOUT, "--dry-run", "--assume-old=.venv/test", target)))
    assert run and run <= stages
