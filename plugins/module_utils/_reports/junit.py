# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit XML, the form that every CI shows.

The schema is that of Jenkins' and GitLab's readers: testsuites, testsuite, testcase, failure.
"""

from __future__ import annotations

import datetime
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

# XML 1.0 section 2.2: all that is neither tab, newline nor a character.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """One check: ``group`` is its component; ``failure`` is a reason id and a text, None when it passed."""

    group: str
    name: str
    seconds: float
    output: str = ""
    failure: tuple[str, str] | None = None


def junit(name: str, cases: Sequence[Case], started: datetime.datetime) -> str:
    """The report of a suite as a document, ending in a newline."""
    failures = sum(1 for case in cases if case.failure)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": "0"}
    seconds = f"{max((case.seconds for case in cases), default=0.0):.3f}"  # the checks run side by side
    root = ET.Element("testsuites", {"name": name, **counts, "time": seconds})
    stamp = started.isoformat(timespec="seconds")
    suite = ET.SubElement(root, "testsuite", {"name": name, **counts, "time": seconds, "timestamp": stamp})
    for case in cases:
        attributes = {"classname": f"{name}.{case.group}", "name": case.name, "time": f"{case.seconds:.3f}"}
        element = ET.SubElement(suite, "testcase", {key: _clean(value) for key, value in attributes.items()})
        if case.failure:
            reason, text = case.failure
            failure = ET.SubElement(element, "failure", {"type": reason, "message": _clean(text.split("\n", 1)[0])})
            failure.text = _clean(text)
        if case.output:
            ET.SubElement(element, "system-out").text = _clean(case.output)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
