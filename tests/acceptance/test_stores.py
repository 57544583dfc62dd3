"""What the API's own pod, with its own secrets, is refused by the stores: what somebody gets who makes it run statements."""

from __future__ import annotations

import json
import shlex

from .running import Running

_ASK = """
import json, os, pathlib, psycopg, redis
secret = lambda name: pathlib.Path("/run/secrets/gpuaas", name).read_text()
env = {name.removeprefix("GPUAAS_").lower(): value for name, value in os.environ.items()}

def sql(statement, **other):
    given = {"user": env["database_user"], "dbname": env["database_name"], "password": secret("database_password")} | other
    return lambda: psycopg.connect(host=env["database_host"], port=env["database_port"], **given).execute(statement)

def cache(*command, **other):
    given = {"username": env["redis_user"], "password": secret("redis_password")} | other
    return lambda: redis.Redis(host=env["redis_host"], port=int(env["redis_port"]), **given).execute_command(*command)

asked = {
    "rows": sql("SELECT count(*) FROM instances"),
    "a table": sql("CREATE TABLE mine ()"),
    "the schema": sql("ALTER TABLE instances ADD COLUMN mine text"),
    "its version": sql("DELETE FROM schema_version"),
    "another database": sql("SELECT 1", dbname="keycloak"),
    "the superuser": sql("SELECT 1", user="postgres", dbname="postgres"),
    "the owner": sql("SET ROLE gpuaas_owner"),
    "a count": cache("GET", "rate:1"),
    "a session": cache("GET", "session:1"),
    "everything": cache("FLUSHALL"),
    "no name": cache("PING", username=None, password=None, protocol=2),
}
said = {}
for name, ask in asked.items():
    try:
        ask()
        said[name] = ""
    except (psycopg.Error, redis.RedisError) as error:
        said[name] = str(error)
print(json.dumps(said))
"""


def test_the_cache_takes_nobodys_key_for_another_and_writes_no_file(running: Running) -> None:
    asked = "; ".join(f"ask admin 127.0.0.1 CONFIG GET {name}" for name in ("maxmemory-policy", "save", "appendonly"))
    script = f". /etc/gpuaas/prepare/ask.sh; {asked}; ls /run/valkey"
    argv = ["exec", "--namespace=gpuaas-data", "statefulset/redis", "--", "sh", "-ec", script]
    said = running.host.check_output(f"{running.kubectl_program} {shlex.join(argv)}").split()
    assert said == ["maxmemory-policy", "noeviction", "save", "appendonly", "no", "users.acl"]


def test_the_api_is_refused_what_it_does_not_need(running: Running) -> None:
    argv = ["exec", "--namespace=gpuaas-control-plane", "deployment/api", "--", "/opt/gpuaas/bin/python", "-c", _ASK]
    said = json.loads(running.host.check_output(f"{running.kubectl_program} {shlex.join(argv)}"))
    assert {name for name, error in said.items() if not error} == {"rows", "a count"}
    refusals = ("permission denied", "must be owner", "no pg_hba.conf entry", "no permissions", "No permissions", "Authentication required")
    assert not {name: error for name, error in said.items() if error and not any(word in error for word in refusals)}
