"""An edit is served without a rebuild, and a mistake in it ends nothing. From a read-only copy, as a mount is."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from support.processes import wait_for

PACKAGE = Path(__file__).parents[1] / "src" / "gpuaas"
ENTRY = Path(__file__).parents[2] / "images" / "control-plane" / "gpuaas"


class Running:
    """A supervised ``web`` from a copy of the source, through the image's own entry point."""

    def __init__(self, source: Path, environment: dict[str, str], log: Path, *arguments: str) -> None:
        self.source = source
        self.log = log
        self.url, self.probes = (
            f"http://127.0.0.1:{environment[f'GPUAAS_{name}_PORT']}" for name in ("LISTEN", "PROBE")
        )
        with log.open("wb") as out:
            # -I and -B as in its first line, whose interpreter is only in the image.
            self.process = subprocess.Popen(
                [sys.executable, "-IB", ENTRY, *arguments],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(source), **environment},
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd="/",
            )

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.source / "gpuaas" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def shows(self, path: str, text: str) -> bool:
        try:
            url = self.probes if path.startswith("/healthz") else self.url
            return text in httpx.get(f"{url}{path}", trust_env=False, timeout=10).text
        except httpx.TransportError:
            return False

    def children(self) -> list[int]:
        """Processes that it started, but for Python's resource tracker."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = [int(pid) for pid in task.read_text().split()]
        return [pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGE, tmp_path / "src" / "gpuaas", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "src"


@pytest.fixture
def web(source: Path, environment: dict[str, str], redis_client: redis.Redis, tmp_path: Path) -> Iterator[Running]:
    running = Running(source, environment, tmp_path / "log", "web", "--reload")
    try:
        wait_for(lambda: running.shows("/healthz/live", "live"), "web")
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def test_edits_of_code_pages_and_style(web: Running) -> None:
    web.edit("probes.py", '{"status": "live"}', '{"status": "edited code"}')
    wait_for(lambda: web.shows("/healthz/live", "edited code"), "the edit")
    web.edit("web/templates/landing.html", "<p", "<p>edited page</p><p")
    wait_for(lambda: web.shows("/", "edited page"), "the edit")
    web.edit("web/static/app.css", ":root", "/* edited style */ :root")
    wait_for(lambda: web.shows("/static/app.css", "edited style"), "the edit")
    assert list(web.source.rglob("__pycache__")) == []
    (first, *_others) = (line for line in web.log.read_text().splitlines() if "detected" in line)
    assert json.loads(first)["message"].startswith("--reload detected changes in '")
    assert first.count("probes.py") == 1


def test_a_mistake_is_logged_and_the_next_edit_is_served(web: Running) -> None:
    web.edit("settings.py", "import ssl\n", "import ssl ssl\n")
    wait_for(lambda: "SyntaxError" in web.log.read_text() and not web.children(), "the mistake")
    assert web.process.poll() is None
    assert "the next edit is waited for" in web.log.read_text()
    web.edit("settings.py", "import ssl ssl\n", "import ssl\n")
    wait_for(lambda: web.shows("/healthz/live", "live"), "the correction")


def test_it_ends_with_its_child(web: Running) -> None:
    (child,) = web.children()
    web.process.send_signal(signal.SIGTERM)
    assert web.process.wait(10) == 0
    assert not Path(f"/proc/{child}").exists()


def test_a_faulty_configuration_ends_it(source: Path, environment: dict[str, str], tmp_path: Path) -> None:
    running = Running(source, {**environment, "GPUAAS_REDIS_PORT": "x"}, tmp_path / "log", "api", "--reload")
    assert running.process.wait(30) == 78
    assert running.log.read_text() == "gpuaas api: configuration: GPUAAS_REDIS_PORT is not a port (1-65535)\n"


def test_the_api_too(
    source: Path, environment: dict[str, str], database: psycopg.Connection, redis_client: redis.Redis, tmp_path: Path
) -> None:
    running = Running(source, environment, tmp_path / "log", "api", "--reload")
    try:
        wait_for(lambda: running.shows("/healthz/ready", '"ready"'), "api")
        running.edit("probes.py", '{"status": "live"}', '{"status": "edited code"}')
        wait_for(lambda: running.shows("/healthz/live", "edited code"), "the edit")
    finally:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(10) == 0


@pytest.mark.parametrize("arguments", [["api"], ["migrate", "--version"], ["--reload"], ["api", "--reload", "x"]])
def test_otherwise_the_image_runs_its_own_code(
    source: Path, environment: dict[str, str], tmp_path: Path, arguments: list[str]
) -> None:
    """PYTHONPATH alone leads nowhere: here there is no other gpuaas, in the image there is."""
    running = Running(source, environment, tmp_path / "log", *arguments)
    assert running.process.wait(30) == 1
    assert "No module named 'gpuaas'" in running.log.read_text()
