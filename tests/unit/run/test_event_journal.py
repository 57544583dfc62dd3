# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""events.jsonl: private, whole, and only where a run has a directory."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events import journal as module
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.emitter import Emitter
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.journal import Journal
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Log, Note


def read(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "events.jsonl").read_text().splitlines()]


def texts(directory: Path) -> list[str]:
    return [record["text"] for record in read(directory)]


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def emit(journal: Journal) -> Emitter:
    emitter = Emitter()
    emitter.readers = [journal]
    return emitter


def test_nothing_is_made_before_the_run_has_its_directory_and_nothing_is_lost(emit: Emitter, journal: Journal, tmp_path: Path) -> None:
    directory = tmp_path / "kind"
    emit(Note("one"))
    assert list(tmp_path.iterdir()) == []
    directory.mkdir()
    journal.begin(directory)
    emit(Note("two"))
    assert texts(directory) == ["one", "two"]
    assert {record["run"] for record in read(directory)} == {emit.run}
    assert stat.S_IMODE((directory / "events.jsonl").stat().st_mode) == 0o600


def test_a_directory_that_does_not_exist_is_not_made(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        journal.begin(tmp_path / "kind")
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_appends(emit: Emitter, journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"text": "before"}\n')
    (tmp_path / "events.jsonl").chmod(0o644)
    journal.begin(tmp_path)
    emit(Note("now"))
    assert texts(tmp_path) == ["before", "now"]
    assert stat.S_IMODE((tmp_path / "events.jsonl").stat().st_mode) == 0o600


def test_beginning_twice_in_one_place_writes_nothing_twice(emit: Emitter, journal: Journal, tmp_path: Path) -> None:
    emit(Note("one"))
    journal.begin(tmp_path)
    journal.begin(tmp_path)
    assert texts(tmp_path) == ["one"]


def test_down_takes_the_file_with_it_and_the_run_goes_on(emit: Emitter, journal: Journal, tmp_path: Path) -> None:
    directory = tmp_path / "kind"
    directory.mkdir()
    journal.begin(directory)
    shutil.rmtree(directory)
    emit(Note("gone"))
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_made_again_has_the_whole_run(emit: Emitter, journal: Journal, tmp_path: Path) -> None:
    directory = tmp_path / "kind"
    for text in ("down", "up"):
        directory.mkdir()
        journal.begin(directory)
        emit(Note(text))
        if text == "down":
            shutil.rmtree(directory)
    assert texts(directory) == ["down", "up"]


def test_a_link_is_not_followed(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "events.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        journal.begin(tmp_path)


def test_a_full_file_is_kept_once_beside_a_new_one(
    emit: Emitter, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FULL", 10)
    (tmp_path / "events.jsonl").write_text('{"text": "of former runs"}\n')
    (tmp_path / "events.jsonl.1").write_text("older\n")
    journal.begin(tmp_path)
    emit(Note("now"))
    assert texts(tmp_path) == ["now"]
    assert "of former runs" in (tmp_path / "events.jsonl.1").read_text()


def test_the_logs_of_components_are_in_no_file(emit: Emitter, journal: Journal, tmp_path: Path) -> None:
    emit(Log("api", "token=abc"))
    journal.begin(tmp_path)
    emit(Log("api", "token=abc"))
    assert read(tmp_path) == []


def test_an_event_stays_on_its_line(emit: Emitter, journal: Journal, tmp_path: Path) -> None:
    journal.begin(tmp_path)
    emit(Note("two\nlines, Ünicode\u2028and more"))
    assert len((tmp_path / "events.jsonl").read_bytes().split(b"\n")) == 2
    assert read(tmp_path)[0]["text"].startswith("two\nlines, Ü")


def test_after_the_end_nothing_is_written(emit: Emitter, journal: Journal, tmp_path: Path) -> None:
    journal.begin(tmp_path)
    journal.close()
    emit(Note("late"))
    assert read(tmp_path) == []
