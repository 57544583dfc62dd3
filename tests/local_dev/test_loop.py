"""An edit of the source shows without a rebuild, and a reset brings the seeded database back."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback
from ansible_collections.gpuaas.parity.tests.verbs.run import run

from .running import ROOT, Running

PACKAGE = ROOT / "control_plane" / "src" / "gpuaas"
PATIENCE = 30.0
_ASK = "import urllib.request; print(urllib.request.urlopen('http://api:8000/openapi.json', timeout=5).read().decode())"


@pytest.fixture
def source(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file of the source, which is as it was afterwards; without a parameter the one that says the version."""
    file = PACKAGE / getattr(request, "param", "__init__.py")
    before = file.read_bytes()
    yield file
    file.write_bytes(before)


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


@pytest.mark.parametrize(
    ("source", "endpoint", "path", "mistake", "says"),
    [
        ("api/routes.py", "api", "/openapi.json", "import json json", "SyntaxError: invalid syntax"),
        ("web/app.py", "web", "/", "import gpuaas.nowhere", "ModuleNotFoundError: No module named 'gpuaas.nowhere'"),
    ],
    indirect=["source"],
)
def test_a_mistake_is_answered_at_once_with_its_place(
    running: Running, source: Path, endpoint: str, path: str, mistake: str, says: str
) -> None:
    """As a browser asks, through the ingress. A request that hangs fails the test."""
    url = running.contract["endpoints"][endpoint]["url"] + path
    right = source.read_text(encoding="utf-8")
    line = len(right.splitlines()) + 1
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=10) as client:
        source.write_text(f"{right}{mistake}\n", encoding="utf-8")
        answer = answered(client, url, 503)
        assert f"gpuaas/{source.relative_to(PACKAGE)}, line {line}: {says}" in answer.text
        source.write_text(right, encoding="utf-8")
        answered(client, url, 200)
    running.await_healthy(endpoint)


def answered(client: httpx.Client, url: str, status: int) -> httpx.Response:
    """The first answer with that status; whatever is asked is answered."""
    end = time.monotonic() + PATIENCE
    while (answer := client.get(url)).status_code != status:
        assert time.monotonic() < end, (answer.status_code, answer.text)
    return answer


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
