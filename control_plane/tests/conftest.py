"""One Postgres, one Valkey, one issuer for the run; an empty state for each test."""

from __future__ import annotations

import logging
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from gpuaas import migrate
from gpuaas.api.app import create_service as create_api
from gpuaas.configuration import describe
from gpuaas.encryption.start import of_api, of_web
from gpuaas.messaging.connection import Messaging
from gpuaas.secrets import Used
from gpuaas.settings import (
    ApiSecrets,
    ApiSettings,
    MigrateSecrets,
    MigrateSettings,
    WebSecrets,
    WebSettings,
    WorkerSettings,
    read_settings,
)
from gpuaas.web.app import create_service as create_web
from support import commands, processes
from support import issuer as issuers
from support.fleet import RunningFleet
from support.fleet import fleet as running_fleet
from support.issuer import Issuer
from support.nats import Nats
from support.nats import nats as running_nats
from support.ports import free_port
from support.processes import Server
from support.sealed import SESSION_KEY
from support.serving import look_often, serving
from support.temporal import temporal as running_temporal
from support.tls import Authority

look_often()

FROM_FILES = Used("files", ())


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Commands configure the root logger, onto a stream that ends with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with processes.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[Server]:
    with processes.valkey() as server:
        yield server


@pytest.fixture(scope="session")
def running_issuer() -> Iterator[Issuer]:
    with issuers.running() as issuer:
        yield issuer


@pytest.fixture(scope="session")
def temporal() -> Iterator[str]:
    with running_temporal() as address:
        yield address


@pytest.fixture
def fleet(authority: Authority, tmp_path: Path) -> Iterator[RunningFleet]:
    """A fleet of the test's own."""
    directory = tmp_path / "fleet"
    directory.mkdir()
    with running_fleet(directory, authority.issue("127.0.0.1", tmp_path / "fleet-certificate")) as running:
        yield running


@pytest.fixture
def issuer(running_issuer: Issuer) -> Issuer:
    running_issuer.reset()
    return running_issuer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def ca_file(authority: Authority) -> Path:
    return authority.ca_file


@pytest.fixture
def environment(postgres: Server, valkey: Server, issuer: Issuer, ca_file: Path, tmp_path: Path) -> dict[str, str]:
    """Settings of API, web and migrate together, and their secret files; users are the API's, see ``support.commands``."""
    secrets = {
        "database_password": postgres.password,
        "redis_password": valkey.password,
        "oidc_client_secret": issuers.CLIENT_SECRET,
        "session_key": SESSION_KEY,
    }
    directory = tmp_path / "secrets"
    directory.mkdir()
    for name, value in secrets.items():
        (directory / name).write_text(f"{value}\n")
    web_port = free_port()
    return {
        "GPUAAS_SECURITY_MODE": "PROD",
        "GPUAAS_KEY_PROVIDER": "none",
        "GPUAAS_MEMBER_KEYS": "devices",
        "GPUAAS_LOG_LEVEL": "info",
        "GPUAAS_SECRETS_SOURCE": directory.as_uri(),
        "GPUAAS_CA_FILE": str(ca_file),
        "GPUAAS_REDIS_HOST": valkey.host,
        "GPUAAS_REDIS_PORT": str(valkey.port),
        "GPUAAS_REDIS_USER": "api",
        "GPUAAS_OIDC_ISSUER": issuer.url,
        "GPUAAS_LISTEN_PORT": str(free_port()),
        "GPUAAS_PROBE_PORT": str(free_port()),
        "GPUAAS_DATABASE_HOST": postgres.host,
        "GPUAAS_DATABASE_PORT": str(postgres.port),
        "GPUAAS_DATABASE_NAME": "gpuaas",
        "GPUAAS_DATABASE_USER": "gpuaas",
        "GPUAAS_DATABASE_POOL_SIZE": "5",
        "GPUAAS_OIDC_AUDIENCE": issuers.AUDIENCE,
        "GPUAAS_OIDC_LEEWAY_SECONDS": "1",
        "GPUAAS_RATE_LIMIT_PER_MINUTE": "600",
        "GPUAAS_SOURCE_LIMIT_PER_MINUTE": "6000",
        "GPUAAS_TRUSTED_PROXIES": "127.0.0.0/8",
        "GPUAAS_CACHE_SECONDS": "5",
        "GPUAAS_PROJECT_GPU_QUOTA": "100",
        "GPUAAS_OIDC_CLIENT_ID": issuers.CLIENT_ID,
        "GPUAAS_WEB_URL": f"http://127.0.0.1:{web_port}",
        "GPUAAS_API_URL": f"http://127.0.0.1:{free_port()}",
        "GPUAAS_SESSION_SECONDS": "600",
    }


@pytest.fixture
def database(postgres: Server, environment: dict[str, str]) -> Iterator[psycopg.Connection]:
    """A database at the current schema, empty, as its owner sees it."""
    with processes.connect(postgres, "gpuaas_owner") as connection:
        migrate.apply(connection, migrate.load())
        connection.execute(
            "TRUNCATE instances, idempotency_keys, outbox, processed_events, timeline, reports, epochs, members,"
            " instance_envelopes, journal_heads"
        )
        yield connection


@pytest.fixture
def superuser(postgres: Server, database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The same database, as the server's superuser sees it."""
    with processes.connect(postgres, "postgres", database.info.dbname) as connection:
        yield connection


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Iterator[Nats]:
    """A NATS with the platform's users, empty."""
    with running_nats(tmp_path, authority.issue("nats", tmp_path / "nats")) as server:
        yield server


@pytest.fixture
def worker_environment(
    environment: dict[str, str], authority: Authority, server: Nats, tmp_path: Path
) -> Callable[[str], dict[str, str]]:
    """The environment of the worker of a component, whose name its certificate has."""

    def made(component: str) -> dict[str, str]:
        directory = tmp_path / f"certificate-{component}"
        return {
            **environment,
            "GPUAAS_NATS_HOST": "127.0.0.1",
            "GPUAAS_NATS_PORT": str(server.port),
            "GPUAAS_NATS_CERTIFICATE": str(directory if directory.exists() else authority.issue(component, directory)),
        }

    return made


@pytest.fixture
def messaging(worker_environment: Callable[[str], dict[str, str]]) -> Callable[[str], Messaging]:
    """A connection of a component, or of ``observer``, who may do everything; it is not open yet."""
    return lambda component: Messaging(read_settings(WorkerSettings, worker_environment(component)), component)


@pytest.fixture
def redis_client(valkey: Server) -> Iterator[redis.Redis]:
    """Valkey, empty."""
    client = redis.Redis(
        host=valkey.host, port=valkey.port, username="admin", password=valkey.password, decode_responses=True
    )
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def migrate_settings(environment: dict[str, str]) -> MigrateSettings:
    return read_settings(MigrateSettings, environment | commands.USERS["migrate"])


@pytest.fixture
def migrate_secrets(postgres: Server) -> MigrateSecrets:
    return MigrateSecrets(database_password=postgres.password)


@pytest.fixture
def probed() -> dict[str, str]:
    """Public URL -> URL of the probes of what was started."""
    return {}


@pytest.fixture
def probe(probed: dict[str, str]) -> Callable[[str, str], httpx.Response]:
    """Ask a probe (``live`` or ``ready``) of what serves a public URL."""
    return lambda url, name: httpx.get(f"{probed[url.rstrip('/')]}/healthz/{name}", trust_env=False, timeout=15)


@pytest.fixture
def start_api(
    environment: dict[str, str],
    postgres: Server,
    valkey: Server,
    database: psycopg.Connection,
    redis_client: redis.Redis,
    probed: dict[str, str],
) -> Iterator[Callable[..., httpx.Client]]:
    """Start an API with changed settings; returns a client of it."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(**changes: str) -> httpx.Client:
            port = str(httpx.URL(environment["GPUAAS_API_URL"]).port)
            environ = {**environment, "GPUAAS_LISTEN_PORT": port, "GPUAAS_PROBE_PORT": str(free_port()), **changes}
            settings = read_settings(ApiSettings, environ)
            secrets = ApiSecrets(database_password=postgres.password, redis_password=valkey.password)
            described = describe("api", settings, secrets, environ, of_api(settings), FROM_FILES)
            service = create_api(settings, secrets, ssl.create_default_context(), described)
            url, probes = stack.enter_context(serving(service))
            probed[url] = probes
            return stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=15))

        yield start


@pytest.fixture
def api(start_api: Callable[..., httpx.Client]) -> httpx.Client:
    return start_api()


@pytest.fixture
def start_web(
    environment: dict[str, str], valkey: Server, redis_client: redis.Redis, probed: dict[str, str]
) -> Iterator[Callable[..., str]]:
    """Start a web console with changed settings; returns its URL."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(**changes: str) -> str:
            port = str(httpx.URL(environment["GPUAAS_WEB_URL"]).port)
            environ = {
                **environment,
                **commands.USERS["web"],
                "GPUAAS_LISTEN_PORT": port,
                "GPUAAS_PROBE_PORT": str(free_port()),
                **changes,
            }
            secrets = WebSecrets(
                redis_password=valkey.password, oidc_client_secret=issuers.CLIENT_SECRET, session_key=SESSION_KEY
            )
            settings = read_settings(WebSettings, environ)
            described = describe("web", settings, secrets, environ, of_web(settings), FROM_FILES)
            service = create_web(settings, secrets, ssl.create_default_context(), described)
            url, probes = stack.enter_context(serving(service))
            probed[url] = probes
            return url

        yield start


@pytest.fixture
def run(environment: dict[str, str], redis_client: redis.Redis) -> Callable[[str], str]:
    """Run a command to its end; returns what it wrote."""

    def command(name: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "gpuaas", name],
            env={"PYTHONPATH": str(Path(__file__).parents[1] / "src"), **environment, **commands.USERS.get(name, {})},
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout

    return command
