"""What the stores refuse: each process has its own rights and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
import redis
from psycopg.errors import InsufficientPrivilege

from gpuaas import migrate
from gpuaas.migrate import Migration
from support import processes
from support.issuer import Issuer
from support.processes import Server


@pytest.fixture
def running(postgres: Server, database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The database as the API sees it."""
    with processes.connect(postgres, "gpuaas", database.info.dbname) as connection:
        yield connection


@pytest.fixture
def missing(postgres: Server, database: psycopg.Connection) -> Callable[[], str]:
    """What would have to be done until every role has its own rights and no others."""
    return lambda: processes.missing_rights(postgres, database.info.dbname)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine ()",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine ()",
        "ALTER TABLE instances ADD COLUMN more integer",
        "DROP TABLE outbox",
        "TRUNCATE outbox",
        "CREATE INDEX ON instances (name)",
        "CREATE TRIGGER mine BEFORE INSERT ON instances FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "UPDATE schema_version SET version = 1",
        "DELETE FROM schema_version",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "SET ROLE gpuaas_owner",
        "COPY instances TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_the_api_cannot(running: psycopg.Connection, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        running.execute(statement)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("gpuaas", "INSERT INTO role_rights VALUES ('gpuaas_relay', 'instances', 'DELETE')"),
        ("gpuaas_relay", "SELECT FROM instances"),
        ("gpuaas_relay", "INSERT INTO outbox (event_type, instance_id, payload) VALUES ('a', gen_random_uuid(), '{}')"),
        ("gpuaas_relay", "UPDATE outbox SET payload = '{}'"),
        ("gpuaas_relay", "DELETE FROM outbox"),
        ("gpuaas_relay", "SELECT FROM processed_events"),
        ("gpuaas_notification", "SELECT FROM outbox"),
        ("gpuaas_notification", "SELECT name FROM instances"),
        ("gpuaas_notification", "UPDATE instances SET state = 'deleted'"),
        ("gpuaas_notification", "UPDATE timeline SET sentence = 'Nothing happened.'"),
        ("gpuaas_notification", "DELETE FROM processed_events"),
        ("gpuaas_notification", "SELECT FROM idempotency_keys"),
        ("gpuaas_provisioning", "UPDATE instances SET project = 'mine'"),
        ("gpuaas_provisioning", "UPDATE instances SET operation = operation + 1"),
        ("gpuaas_provisioning", "DELETE FROM instances"),
        ("gpuaas_provisioning", "UPDATE outbox SET published_at = now()"),
        ("gpuaas_provisioning", "SELECT FROM timeline"),
        ("gpuaas_provisioning", "SELECT FROM idempotency_keys"),
        ("gpuaas_runtime", "SELECT name FROM instances"),
        ("gpuaas_runtime", "UPDATE instances SET state = 'deleted'"),
        ("gpuaas_runtime", "UPDATE instances SET workload = 'notebook'"),
        ("gpuaas_runtime", "SELECT payload FROM outbox"),
        ("gpuaas_runtime", "UPDATE outbox SET published_at = now()"),
        ("gpuaas_runtime", "SELECT FROM timeline"),
        ("gpuaas_runtime", "SELECT FROM idempotency_keys"),
        ("gpuaas_journal", "SELECT name FROM instances"),
        ("gpuaas_journal", "UPDATE outbox SET payload = '{}'"),
        ("gpuaas_journal", "UPDATE outbox SET published_at = now()"),
        ("gpuaas_journal", "DELETE FROM outbox"),
        ("gpuaas_journal", "DELETE FROM journal_heads"),
        ("gpuaas_journal", "SELECT FROM timeline"),
        ("gpuaas_journal", "SELECT FROM idempotency_keys"),
        *(
            (f"gpuaas_{name}", "CREATE TABLE mine ()")
            for name in ("relay", "notification", "provisioning", "runtime", "journal")
        ),
    ],
)
def test_a_worker_cannot(postgres: Server, database: psycopg.Connection, role: str, statement: str) -> None:
    with processes.connect(postgres, role, database.info.dbname) as its, pytest.raises(InsufficientPrivilege):
        its.execute(statement)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("gpuaas_relay", "SELECT * FROM outbox FOR UPDATE SKIP LOCKED"),
        ("gpuaas_relay", "UPDATE outbox SET published_at = now()"),
        ("gpuaas_notification", "SELECT id, project FROM instances"),
        ("gpuaas_notification", "UPDATE timeline_position SET last = last RETURNING last"),
        ("gpuaas_provisioning", "SELECT * FROM instances FOR NO KEY UPDATE"),
        ("gpuaas_provisioning", "UPDATE instances SET state = 'requested', gpu_count = 1, wanted_gpu_count = NULL"),
        ("gpuaas_runtime", "SELECT id, state FROM instances FOR NO KEY UPDATE"),
        ("gpuaas_runtime", "UPDATE instances SET workload_state = 'removed' WHERE workload IS NOT NULL"),
    ],
)
def test_a_worker_can(postgres: Server, database: psycopg.Connection, role: str, statement: str) -> None:
    with processes.connect(postgres, role, database.info.dbname) as its:
        its.execute(statement)


def test_what_the_journal_is_compared_with_is_its_workers_to_write(
    running: psycopg.Connection, database: psycopg.Connection
) -> None:
    add = "INSERT INTO journal_heads (project, number, digest) VALUES (%s, 0, decode(repeat('00', 32), 'hex'))"
    database.execute(add, ["atlas"])
    assert running.execute("SELECT number FROM journal_heads").fetchall() == [(0,)]
    assert running.execute("UPDATE journal_heads SET number = 1").rowcount == 0
    assert running.execute("DELETE FROM journal_heads").rowcount == 0
    with pytest.raises(InsufficientPrivilege):
        running.execute(add, ["borealis"])


@pytest.mark.parametrize(
    "damage",
    [
        "GRANT DELETE ON outbox TO gpuaas_relay",
        "GRANT UPDATE (payload) ON outbox TO gpuaas_relay",
        "REVOKE UPDATE (published_at) ON outbox FROM gpuaas_relay",
        "REVOKE SELECT ON outbox FROM gpuaas_relay",
        "REVOKE INSERT ON outbox FROM gpuaas",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO gpuaas_relay",
        "ALTER DEFAULT PRIVILEGES REVOKE INSERT ON TABLES FROM gpuaas",
    ],
)
def test_rights_that_were_changed_are_found_and_healed(
    database: psycopg.Connection, superuser: psycopg.Connection, missing: Callable[[], str], damage: str
) -> None:
    assert missing() == ""
    database.execute(damage)
    statements = missing()
    assert len(statements.splitlines()) == 1
    superuser.execute(statements)
    assert missing() == ""


def test_rights_come_from_a_table_alone(
    database: psycopg.Connection, superuser: psycopg.Connection, missing: Callable[[], str]
) -> None:
    """A view is its owner's program, and who asks is the superuser."""
    database.execute("ALTER TABLE role_rights RENAME TO kept")
    database.execute("CREATE VIEW role_rights AS SELECT role, relation, privilege FROM kept")
    try:
        assert "REVOKE SELECT ON TABLE outbox FROM gpuaas_relay CASCADE;" in missing()
    finally:
        database.execute("DROP VIEW role_rights")
        database.execute("ALTER TABLE kept RENAME TO role_rights")


@pytest.mark.parametrize("name", ["postgres", "template1"])
def test_no_role_reaches_another_database(postgres: Server, database: psycopg.Connection, name: str) -> None:
    for role in processes.ROLES:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            processes.connect(postgres, role, name)


def test_what_a_later_migration_makes_can_be_used(database: psycopg.Connection, running: psycopg.Connection) -> None:
    later = Migration(migrate.expected_version() + 1, "later.sql", b"CREATE TABLE later (id serial, what text)")
    migrate.apply(database, [*migrate.load(), later])
    try:
        running.execute("INSERT INTO later (what) VALUES ('a')")
        running.execute("UPDATE later SET what = 'b'")
        assert running.execute("DELETE FROM later RETURNING id, what").fetchone() == (1, "b")
        with pytest.raises(InsufficientPrivilege):
            running.execute("DROP TABLE later")
    finally:
        database.execute("DROP TABLE later")
        database.execute("DELETE FROM schema_version WHERE version = %s", [later.version])


def client(valkey: Server, user: str) -> redis.Redis:
    return redis.Redis(host=valkey.host, port=valkey.port, username=user, password=valkey.password, protocol=2)


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("api", ("GET", "session:1")),
        ("api", ("SET", "other", "1")),
        ("api", ("FLUSHALL",)),
        ("api", ("KEYS", "*")),
        ("api", ("EVAL", "return 1", "0")),
        ("api", ("CONFIG", "GET", "*")),
        ("api", ("ACL", "LIST")),
        ("api", ("PUBLISH", "channel", "1")),
        ("web", ("GET", "rate:1:1")),
        ("web", ("SCAN", "0")),
        ("web", ("EVAL", "return redis.call('GET', 'list:1')", "0")),
        ("web", ("FLUSHDB",)),
        ("web", ("SCRIPT", "FLUSH")),
        ("probe", ("GET", "session:1")),
        ("probe", ("INFO",)),
    ],
)
def test_a_user_of_the_cache_cannot(redis_client: redis.Redis, valkey: Server, user: str, command: tuple[str]) -> None:
    with client(valkey, user) as its, pytest.raises(redis.exceptions.NoPermissionError):
        its.execute_command(*command)


def test_a_script_may_no_more_than_who_runs_it(redis_client: redis.Redis, valkey: Server) -> None:
    with client(valkey, "web") as its:
        script = its.register_script("return redis.call('GET', 'rate:1')")
        with pytest.raises(redis.exceptions.ResponseError, match="permission"):
            script()


def test_nobody_is_let_in_without_a_name(redis_client: redis.Redis, valkey: Server) -> None:
    with redis.Redis(host=valkey.host, port=valkey.port) as its, pytest.raises(redis.exceptions.AuthenticationError):
        its.ping()
    with (
        redis.Redis(host=valkey.host, port=valkey.port, password=valkey.password) as its,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        its.ping()


def test_nothing_is_refused_that_is_used(api: httpx.Client, issuer: Issuer, redis_client: redis.Redis) -> None:
    redis_client.execute_command("ACL", "LOG", "RESET")
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    assert [api.get("/v1/instances", headers=headers).headers["X-Cache"] for _again in range(2)] == ["miss", "hit"]
    assert redis_client.execute_command("ACL", "LOG") == []
