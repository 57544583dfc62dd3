"""The commands as processes: exit statuses, signals, logs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import redis

from gpuaas.migrate import expected_version
from support.commands import USERS
from support.issuer import Issuer
from support.processes import wait_for

SOURCE = Path(__file__).parents[1] / "src"


def start(command: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gpuaas", command],
        env={"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"], **environment, **USERS.get(command, {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answers(url: str, path: str = "/nowhere", status: int = 404) -> bool:
    try:
        return httpx.get(f"{url}{path}", trust_env=False).status_code == status
    except httpx.TransportError:
        return False


def live(probes: str) -> bool:
    return answers(probes, "/healthz/live", 200)


@pytest.mark.parametrize(
    ("command", "path"), [("api", "/v1/instances?token=hunter2"), ("web", "/auth/callback?code=hunter2")]
)
def test_serve_and_stop(
    command: str,
    path: str,
    environment: dict[str, str],
    database: psycopg.Connection,
    redis_client: redis.Redis,
    issuer: Issuer,
) -> None:
    process = start(command, environment)
    url, probes = (f"http://127.0.0.1:{environment[f'GPUAAS_{name}_PORT']}" for name in ("LISTEN", "PROBE"))
    wait_for(lambda: live(probes), command)
    assert httpx.get(f"{probes}/healthz/ready", trust_env=False).status_code == 200
    headers = {"Authorization": f"Bearer {issuer.token()}", "X-Request-Id": "req-1"}
    httpx.get(f"{url}{path}", headers=headers, trust_env=False)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (0, "")
    entries = [json.loads(line) for line in out.splitlines()]
    assert entries[0]["message"] == "listening"
    assert entries[-1]["message"] == "stopped"
    (access,) = [entry for entry in entries if entry["logger"] == "gpuaas.access"]
    assert (access["request_id"], access["path"]) == ("req-1", path.split("?")[0])
    for secret in ("hunter2", "eyJ", "password", environment["GPUAAS_SECRETS_SOURCE"]):
        assert secret not in out


@pytest.mark.parametrize("taken", ["GPUAAS_LISTEN_PORT", "GPUAAS_PROBE_PORT"])
def test_a_port_that_is_taken_ends_the_process(
    taken: str, environment: dict[str, str], database: psycopg.Connection, redis_client: redis.Redis
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        process = start("api", environment | {taken: str(other.getsockname()[1])})
        out, _err = process.communicate(timeout=30)
    assert process.returncode > 0
    assert "address already in use" in out.lower()


def test_a_kept_connection_ends_with_an_answer(
    environment: dict[str, str], database: psycopg.Connection, redis_client: redis.Redis, issuer: Issuer
) -> None:
    process = start("api", environment)
    port = int(environment["GPUAAS_LISTEN_PORT"])
    wait_for(lambda: answers(f"http://127.0.0.1:{port}"), "api")
    connection = HTTPConnection("127.0.0.1", port, timeout=10)

    def last() -> bool:
        connection.request("GET", "/")
        with connection.getresponse() as answer:
            answer.read()
            return answer.getheader("Connection") == "close"

    assert not last()
    process.send_signal(signal.SIGTERM)
    # One that is closed instead loses what is on its way, and raises here.
    wait_for(last, "the last answer")
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_a_request_in_flight_is_answered(
    environment: dict[str, str], database: psycopg.Connection, redis_client: redis.Redis, issuer: Issuer
) -> None:
    process = start("api", environment)
    url = f"http://127.0.0.1:{environment['GPUAAS_LISTEN_PORT']}"
    wait_for(lambda: answers(url), "api")
    headers = {"Authorization": f"Bearer {issuer.token()}", "Idempotency-Key": "k"}

    def slow_body() -> Iterator[bytes]:
        yield b'{"name":"slow","gpu_type":"H100",'
        process.send_signal(signal.SIGTERM)
        # Nobody is let in any more; the rest of the body comes after that.
        wait_for(lambda: not answers(url), "closing the door")
        yield b'"gpu_count":1}'

    answer = httpx.post(
        f"{url}/v1/instances",
        content=slow_body(),
        headers={**headers, "Content-Type": "application/json"},
        trust_env=False,
    )
    assert answer.status_code == 201
    process.communicate(timeout=10)
    assert process.returncode == 0


@pytest.mark.parametrize("command", ["api", "web", "migrate", "seed"])
def test_faulty_configuration_is_one_line(command: str, environment: dict[str, str]) -> None:
    process = start(command, {**environment, "GPUAAS_LOG_LEVEL": "hunter2"})
    out, err = process.communicate(timeout=20)
    assert process.returncode == 78
    assert out == ""
    assert err == f"gpuaas {command}: configuration: GPUAAS_LOG_LEVEL is not one of debug, info, warning, error\n"


@pytest.mark.parametrize(
    ("command", "secret"),
    [("api", "redis_password"), ("web", "session_key"), ("migrate", "database_password"), ("seed", "redis_password")],
)
def test_missing_secret_is_one_line(command: str, secret: str, environment: dict[str, str]) -> None:
    (Path(urlsplit(environment["GPUAAS_SECRETS_SOURCE"]).path) / secret).unlink()
    process = start(command, environment)
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 78
    assert err == f"gpuaas {command}: configuration: secret {secret} is missing from GPUAAS_SECRETS_SOURCE\n"


def test_migrate(environment: dict[str, str], database: psycopg.Connection) -> None:
    process = start("migrate", environment)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["message"] == "schema is current"


def test_the_schemas_version_needs_no_configuration() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "gpuaas", "migrate", "--version"],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert (process.stdout, process.stderr) == (f"{expected_version()}\n", "")


def test_what_a_process_does_not_use_costs_it_no_memory() -> None:
    """boto3 alone, which Infisical's SDK imports, is as large as the whole web console."""
    heavy = ("infisical_sdk", "boto3", "botocore", "requests", "yaml")
    code = f"import sys, gpuaas.cli, gpuaas.{{}}.app; print([n for n in {heavy} if n in sys.modules])"
    for half in ("api", "web"):
        seen = subprocess.run(
            [sys.executable, "-c", code.format(half)],
            env={"PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert seen.stdout == "[]\n"


def test_no_command() -> None:
    process = start("", {})
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "invalid choice" in err
