"""Every place where a platform in Compose keeps or says something, as bytes that can be searched."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.bundle import Failure, Sources, write_bundle
from ansible_collections.gpuaas.parity.tests.canary.search import Place
from ansible_collections.gpuaas.parity.tests.local_dev.running import Running, docker

CHUNK = 8 * 1024 * 1024
_DATABASES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
# The password goes from file to file.
_DUMP = (
    ". /etc/gpuaas/prepare/roles.sh; umask 077; export PGPASSFILE=$(mktemp); trap 'rm -f \"$PGPASSFILE\"' EXIT;"
    " { printf '*:*:*:*:'; sed 's/[\\\\:]/\\\\&/g' \"$secrets/superuser_password\"; } > \"$PGPASSFILE\";"
    ' pg_dump --host=/run/postgresql --port="$POSTGRES_PORT" --username=postgres --no-password "$1"'
)
_EVERYTHING = (
    "local all = {}; local how = {string = {'GET'}, hash = {'HGETALL'}, list = {'LRANGE', 0, -1}, set = {'SMEMBERS'},"
    " zset = {'ZRANGE', 0, -1}}; for _, key in ipairs(redis.call('KEYS', '*')) do table.insert(all, key);"
    " local c = how[redis.call('TYPE', key).ok]; table.insert(all, redis.call(c[1], key, unpack(c, 2))) end; return all"
)
EVERYTHING_CACHED = f'. /etc/gpuaas/prepare/ask.sh; ask admin 127.0.0.1 EVAL "{_EVERYTHING}" 0'
# By the certificate and the rights of the worker in whose container it runs.
_JOURNAL = """
import asyncio, os, sys
from gpuaas import database
from gpuaas.journal import outbox
from gpuaas.journal.process import open_journal
from gpuaas.settings import JournalSecrets, JournalSettings, read_secrets, read_settings

async def main():
    settings = read_settings(JournalSettings, os.environ)
    secrets = read_secrets(JournalSecrets, settings.secrets_source.provider(settings.ca_file))
    journal = open_journal(settings, secrets)
    async with database.create_pool(settings, secrets.database_password, size=1) as pool, pool.connection() as connection:
        chains = await outbox.chains(connection)
    for chain in chains.values():
        after = 0
        while entries := journal.page(chain.project, after):
            for entry in entries:
                sys.stdout.buffer.write(repr(entry).encode() + entry.record.payload + b"\\n")
            after += len(entries)

asyncio.run(main())
"""
_ALL_SPANS = "http://127.0.0.1:9411/api/v2/traces?limit=10000&lookback=86400000"
SPANS = ("/usr/bin/python3", "-IBc", f"import urllib.request as r; print(r.urlopen({_ALL_SPANS!r}).read().decode())")
# What the volumes of data are known to have in plain: see that they are read at all.
_DATA = {"postgres-data": "name", "nats-data": "name", "dynalite-data": "instance", "gpu-fleet-data": "instance"}


def places(project: Running) -> Iterator[Place]:
    """All of them."""
    databases = project.sql(_DATABASES).split()
    known = {"gpuaas": "name", "temporal": "instance", "temporal_visibility": "instance", "keycloak": "person", "postgres": ""}
    for each in databases:
        yield Place(f"database {each}", known[each], lambda each=each: _inside(project, "postgres", "sh", "-c", _DUMP, "dump", each))  # type: ignore[misc]
    yield Place("cache", "subject's key", lambda: _inside(project, "redis", "sh", "-c", EVERYTHING_CACHED))
    yield Place("journal", "instance", lambda: journal(project))
    yield Place("logs", "instance", lambda: _logs(project))
    yield Place("diagnosis bundle", "instance", lambda: _bundle(project.state_dir))
    yield Place("the run's directory", "platform", lambda: files(project.state_dir))
    volumes = _volumes(project)
    for name, has in _DATA.items():
        yield Place(f"volume {name}", has, lambda name=name: _files_of(project, [name]))  # type: ignore[misc]
    yield Place("all other volumes", "platform", lambda: _files_of(project, sorted(volumes - _DATA.keys())))
    if "traces" in project.containers:
        yield Place("traces", "instance", lambda: _inside(project, "traces", *SPANS))


def journal(project: Running) -> Iterable[bytes]:
    """Every entry of every chain, and the payloads."""
    return _inside(project, "journal", "/opt/gpuaas/bin/python", "-c", _JOURNAL)


def _inside(project: Running, service: str, *command: str) -> Iterator[bytes]:
    return said("docker", "exec", project.containers[service]["Name"].removeprefix("/"), *command)


def _logs(project: Running) -> Iterator[bytes]:
    """Also of those that have ended."""
    for container in project.containers.values():
        yield from said("docker", "logs", container["Id"], stderr=subprocess.STDOUT)


def _bundle(state_dir: Path) -> Iterator[bytes]:
    bundle = write_bundle(Sources(state_dir), Failure("validate", "INTERNAL", "a canary is looked for"))
    if bundle.path is None:
        raise SystemExit(f"canary: no bundle: {bundle.problem}")
    try:
        with tarfile.open(bundle.path) as archive:
            for member in archive:
                if file := archive.extractfile(member):
                    yield file.read()
    finally:
        bundle.path.unlink()


def files(directory: Path) -> Iterator[bytes]:
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.name.encode() + b"\n" + path.read_bytes()


def _volumes(project: Running) -> set[str]:
    """As the project calls them."""
    label = f"label=com.docker.compose.project={project.contract['project']}"
    listed = json.loads(docker("volume", "inspect", *docker("volume", "ls", "--quiet", "--filter", label).split()))
    return {each["Labels"]["com.docker.compose.volume"] for each in listed}


def _files_of(project: Running, volumes: list[str]) -> Iterator[bytes]:
    """Their files, past whoever uses them."""
    image = project.containers["postgres"]["Config"]["Image"]
    mounts = [f"--mount=type=volume,source={project.contract['project']}_{name},target=/volumes/{name},readonly" for name in volumes]
    argv = ["docker", "run", "--rm", "--network=none", "--user=0:0", *mounts, "--entrypoint=tar", image]
    # 1: a file changed as it was read, which a database's does.
    return said(*argv, "--create", "--file=-", "--directory=/volumes", ".", accepted=(0, 1))


def said(*argv: str, stderr: int = subprocess.PIPE, accepted: tuple[int, ...] = (0,)) -> Iterator[bytes]:
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL if stderr == subprocess.PIPE else stderr) as process:
        assert process.stdout
        while chunk := process.stdout.read(CHUNK):
            yield chunk
        if process.wait(60) not in accepted:
            raise SystemExit(f"canary: {' '.join(argv[:4])} ended with {process.returncode}")
