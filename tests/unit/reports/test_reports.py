"""Reports that a CI and a script can read."""

from __future__ import annotations

import datetime
import json
import stat
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._reports.junit import Case, junit
from ansible_collections.gpuaas.parity.plugins.module_utils._reports.write import write_report

STARTED = datetime.datetime(2026, 11, 21, 10, 0, tzinfo=datetime.UTC)
GOOD = {"id": "api-ready", "component": "api", "ok": True, "seen": "1/1 ready", "reason": "", "do": "", "seconds": 1.5}
BAD = {**GOOD, "id": "web-ready", "component": "web", "ok": False, "seen": "0/1 <ready>\nmore", "reason": "READY_TIMEOUT", "do": "make x"}


def write(folder: Path, results: list[dict[str, Any]]) -> tuple[ET.Element, dict[str, Any]]:
    xml, data = write_report(folder, "validate", results, {"phase": "validate"}, STARTED)
    assert {path.name for path in folder.iterdir()} == {"validate.junit.xml", "validate.json"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (xml, data))
    return ET.fromstring(xml.read_text()), json.loads(data.read_text())


def test_a_report_of_a_run_that_failed(tmp_path: Path) -> None:
    root, data = write(tmp_path / "reports", [GOOD, BAD])
    suite = root[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped"), suite.get("time")) == ("2", "1", "0", "1.500")
    assert suite.get("timestamp") == "2026-11-21T10:00:00+00:00"
    good, bad = suite
    assert (good.get("classname"), good.get("name"), good.findtext("system-out")) == ("validate.api", "api-ready", "1/1 ready")
    failure = bad.find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("READY_TIMEOUT", "READY_TIMEOUT: 0/1 <ready>")
    assert failure.text == "READY_TIMEOUT: 0/1 <ready>\nmore\n-> make x"
    assert (data["ok"], data["tests"], data["failures"], data["phase"]) == (False, 2, 1, "validate")
    assert data["checks"][1]["reason"] == "READY_TIMEOUT"


def test_a_report_of_a_run_that_held_and_of_one_without_checks(tmp_path: Path) -> None:
    assert write(tmp_path / "a", [GOOD])[1]["ok"] is True
    assert write(tmp_path / "b", [])[1]["ok"] is False


def test_a_report_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "r", [BAD])
    assert write(tmp_path / "r", [GOOD])[1]["failures"] == 0


def test_what_xml_cannot_hold_is_replaced() -> None:
    root = ET.fromstring(junit("n", [Case("g", "c\x00", 0, "tab\there \x1b[31mred")], STARTED))
    assert root[0][0].findtext("system-out") == "tab\there \ufffd[31mred"


@pytest.mark.parametrize("name", ["", "../x", "a b", ".hidden"])
def test_names_that_are_paths_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParityError, match="REPORT_NOT_WRITTEN"):
        write_report(tmp_path, name, [GOOD], {}, STARTED)


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ParityError, match="REPORT_NOT_WRITTEN"):
        write_report(tmp_path / "file", "validate", [GOOD], {}, STARTED)
