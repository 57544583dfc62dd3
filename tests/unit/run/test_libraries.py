"""Where a library is missing every file can still be imported, and a step says what is missing and what to type."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.tests.unit.run.playing import ROOT, play_task

LIBRARIES = ("cryptography", "httpx", "jmespath", "jsonschema", "packaging", "yaml")
# Python imports it at every start. A name that stands for nothing cannot be imported.
HIDE = "import sys\nfor name in {names!r}:\n    sys.modules[name] = None\n"


def _without(folder: Path, *names: str) -> str:
    """A search path for Python on which ``names`` are not installed."""
    (folder / "sitecustomize.py").write_text(HIDE.format(names=names))
    return str(folder)


def test_every_file_of_module_utils_can_be_imported_without_any_library(tmp_path: Path) -> None:
    utils = ROOT / "plugins" / "module_utils"
    names = [".".join(path.relative_to(utils).with_suffix("").parts).removesuffix(".__init__") for path in utils.rglob("*.py")]
    statements = "".join(f"import ansible_collections.gpuaas.parity.plugins.module_utils.{name}\n" for name in sorted(names))
    done = subprocess.run(
        [sys.executable, "-c", statements],
        env={**os.environ, "PYTHONPATH": _without(tmp_path, *LIBRARIES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_step_names_what_is_missing_and_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", _without(tmp_path, "httpx", "jsonschema"))
    done = play_task(tmp_path, "kind_cluster_info", {"state_dir": str(tmp_path / "state")})
    assert done.returncode != 0
    assert "REQUIREMENTS_MISSING: " in done.stdout
    assert "lacks httpx, jsonschema" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    (file,) = re.findall(r"--requirement (\S+)", done.stdout)[:1]
    assert Path(file).read_text().startswith("ansible==")
