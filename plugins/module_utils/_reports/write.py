# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's report in the reports directory: the same results as JUnit XML and as JSON."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._reports.junit import Case, junit
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _case(result: dict[str, Any]) -> Case:
    seen = str(result["seen"])
    failure = None if result["ok"] else (str(result["reason"]), f"{result['reason']}: {seen}\n-> {result['do']}")
    return Case(str(result["component"]), str(result["id"]), float(result["seconds"]), "" if failure else seen, failure)


def write_report(
    folder: Path, name: str, results: Sequence[dict[str, Any]], facts: dict[str, Any], started: datetime.datetime
) -> tuple[Path, Path]:
    """Write ``<name>.junit.xml`` and ``<name>.json`` (0600, replaced as a whole) and return their paths.

    ``facts`` is added to the JSON's top level. Raises ParityError ``REPORT_NOT_WRITTEN``.
    """
    if not _NAME.fullmatch(name):
        raise ParityError("REPORT_NOT_WRITTEN", f"{name!r} cannot be a report's name")
    xml, data = folder / f"{name}.junit.xml", folder / f"{name}.json"
    document = {
        "name": name,
        "started": started.isoformat(timespec="seconds"),
        "ok": bool(results) and all(result["ok"] for result in results),
        "tests": len(results),
        "failures": sum(1 for result in results if not result["ok"]),
        **facts,
        "checks": list(results),
    }
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_text(xml, junit(name, [_case(result) for result in results], started))
        write_text(data, json.dumps(document, indent=2) + "\n")
    except OSError as error:
        raise ParityError("REPORT_NOT_WRITTEN", f"{folder}: {error}") from error
    except ParityError as error:
        raise ParityError("REPORT_NOT_WRITTEN", error.seen) from error
    return xml, data
