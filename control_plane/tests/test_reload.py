"""An edit is served without a rebuild, and a mistake in it ends nothing. From a read-only copy, as a mount is."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from support.commands import USERS
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
        """Processes that it started."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in task.read_text().split()]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGE, tmp_path / "src" / "gpuaas", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "src"


@pytest.fixture
def web(source: Path, environment: dict[str, str], redis_client: redis.Redis, tmp_path: Path) -> Iterator[Running]:
    running = Running(source, environment | USERS["web"], tmp_path / "log", "web", "--reload")
    try:
        wait_for(lambda: running.shows("/healthz/live", "live"), "web")
        yield running
    finally:
        # Its child ends with it when it is told to end, not when it is killed.
        running.process.terminate()
        running.process.wait()


def test_edits_of_code_pages_and_style(web: Running) -> None:
    web.edit("probes.py", '{"status": "live"}', '{"status": "edited code"}')
    wait_for(lambda: web.shows("/healthz/live", "edited code"), "the edit")
    web.edit("web/templates/landing.html", "<p", "<p>edited page</p><p")
    wait_for(lambda: web.shows("/", "edited page"), "the edit")
    web.edit("web/static/app.css", ":root", "/* edited style */ :root")
    wait_for(lambda: web.shows("/static/app.css", "edited style"), "the edit")
    assert list(web.source.rglob("__pycache__")) == []
    (first, *_others) = (line for line in web.log.read_text().splitlines() if "changed" in line)
    assert json.loads(first)["message"] == "--reload: probes.py changed"


@dataclass(frozen=True)
class Mistake:
    """An edit that keeps a service from starting: ``old`` becomes ``new``, and the line that has ``blamed`` is at fault."""

    file: str
    old: str
    new: str
    blamed: str
    says: str


MISTAKES = (
    Mistake("settings.py", "import ssl\n", "import ssl ssl\n", "import ssl ssl", "SyntaxError: invalid syntax"),
    Mistake("__init__.py", "__version__ =", "__version__ = =", "= =", "SyntaxError: invalid syntax"),
    # What the reloader runs itself.
    Mistake("serve.py", "import uvicorn\n", "import uvicorn, nowhere\n", "nowhere", "ModuleNotFoundError: No module"),
    Mistake(
        "web/app.py", "SESSION_COOKIE, ", "SESSION_COOKIES, ", "SESSION_COOKIES", "ImportError: cannot import name"
    ),
    Mistake("settings.py", "import ssl\n", "import ssl\nraise SystemExit(0)\n", "raise SystemExit", "SystemExit: 0"),
    # While it starts.
    Mistake(
        "web/app.py", "app.state.resources = its", "nowhere", "nowhere", "NameError: name 'nowhere' is not defined"
    ),
)


def test_a_mistake_is_answered_with_503_until_it_is_mended(web: Running) -> None:
    for mistake in MISTAKES:
        web.edit(mistake.file, mistake.old, mistake.new)
        lines = (web.source / "gpuaas" / mistake.file).read_text().splitlines()
        (number,) = (number for number, line in enumerate(lines, 1) if mistake.blamed in line)
        place = f"gpuaas/{mistake.file}, line {number}: "
        wait_for(lambda place=place: web.shows("/", place), str(mistake))  # type: ignore[misc]
        answer = httpx.post(web.url, trust_env=False, timeout=10)
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/plain; charset=utf-8"), mistake
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.text.splitlines()[-1].startswith(place + mistake.says)
        assert httpx.get(f"{web.probes}/healthz/ready", trust_env=False, timeout=10).status_code == 503
        web.edit(mistake.file, mistake.new, mistake.old)
    wait_for(lambda: web.shows("/healthz/ready", '"ready"') and web.shows("/", "Log in"), "the correction")
    assert web.process.poll() is None
    assert web.log.read_text().count("the next edit is waited for") >= len(MISTAKES)


def test_a_mistake_is_for_the_developer_alone(source: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """Served as in production, the same source ends the process; who serves mistakes is not even loaded."""
    environment = {**environment, "PATH": os.environ["PATH"], "PYTHONPATH": str(source)}
    loaded = (
        "import sys; from gpuaas.cli import service; import gpuaas.serve; service('web'); service('api');"
        " print([name for name in sys.modules if name in ('gpuaas.mistake', 'gpuaas.reload')])"
    )
    told = subprocess.run([sys.executable, "-c", loaded], env=environment, cwd="/", capture_output=True, check=True)
    assert told.stdout == b"[]\n"
    (source / "gpuaas" / "web" / "app.py").write_text("import import\n")
    command = [sys.executable, "-m", "gpuaas", "web"]
    ended = subprocess.run(command, env=environment, cwd="/", capture_output=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert b"SyntaxError" in ended.stderr


def test_who_hears_no_signal_does_not_keep_the_next_edit_waiting(web: Running) -> None:
    (child,) = web.children()
    os.kill(child, signal.SIGSTOP)
    web.edit("probes.py", '{"status": "live"}', '{"status": "edited code"}')
    wait_for(lambda: web.shows("/healthz/live", "edited code"), "the edit")
    assert not Path(f"/proc/{child}").exists()


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
        running.edit("api/routes.py", "import", "import import")
        wait_for(lambda: running.shows("/v1/me", '"code": "unavailable"'), "the mistake")
        problem = httpx.get(f"{running.url}/v1/me", trust_env=False, timeout=10)
        assert (problem.status_code, problem.headers["Content-Type"]) == (503, "application/problem+json")
        assert "gpuaas/api/routes.py, line " in problem.json()["detail"]
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
