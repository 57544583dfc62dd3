"""An edit of the source shows without a rebuild, and a reset brings the seeded database back."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.tests.verbs.run import run

from .conftest import ROOT, Running

SOURCE = ROOT / "control_plane" / "src" / "gpuaas" / "__init__.py"
PATIENCE = 30.0
_ASK = "import urllib.request; print(urllib.request.urlopen('http://api:8000/openapi.json', timeout=5).read().decode())"


@pytest.fixture
def source() -> Iterator[Path]:
    """The file that says the version, which is as it was afterwards."""
    before = SOURCE.read_bytes()
    yield SOURCE
    SOURCE.write_bytes(before)


def version(running: Running) -> str:
    """The version that the API reports; empty while it restarts."""
    try:
        answer = running.inside("web", "/opt/gpuaas/bin/python", "-c", _ASK)
    except subprocess.CalledProcessError:
        return ""
    return str(json.loads(answer)["info"]["version"])


def test_an_edit_shows_without_a_rebuild(running: Running, source: Path) -> None:
    edited = "0.0.0+edited"
    source.write_text(source.read_text(encoding="utf-8").replace(version(running), edited), encoding="utf-8")
    end = time.monotonic() + PATIENCE
    while (seen := version(running)) != edited and time.monotonic() < end:
        # Each question takes a tenth of a second itself.
        continue
    assert seen == edited


def reset() -> None:
    answer = run("local-dev-reset")
    assert answer.ok, answer.text


def test_a_reset_brings_the_seeded_database_back(running: Running) -> None:
    instances = "SELECT md5(string_agg(i::text, '' ORDER BY id)) FROM instances i"
    reset()
    seeded = running.sql(instances)
    assert seeded
    running.sql("TRUNCATE instances CASCADE")
    assert running.sql(instances) == ""
    reset()
    assert running.sql(instances) == seeded
