"""Print the failed tests of a JUnit report: the last lines of a log are what a pipeline shows, and molecule ends with a page of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree


def failures(report: Path) -> list[str]:
    """One text for each test that failed: its name, then what pytest said."""
    cases = ElementTree.parse(report).iter("testcase")
    bad = [(case, child) for case in cases for child in case if child.tag in ("failure", "error")]
    return [f"{case.get('classname')}::{case.get('name')}\n{child.text}" for case, child in bad]


if __name__ == "__main__":
    written = Path(sys.argv[1])
    print("\n".join(failures(written)) if written.exists() else f"no test ran: there is no {written}")
