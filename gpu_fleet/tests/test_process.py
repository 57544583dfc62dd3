"""The program as it is deployed: what survives, who is let in, what its commands say."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from gpu_fleet import cli, tracing
from gpu_fleet.edge import MAX_REQUESTS
from gpu_fleet.settings import ConfigurationError
from support.environment import TOKEN, environ
from support.process import Running, command, free_port, serving
from support.tls import issue

SOURCE = Path(__file__).parents[1] / "src"


def with_ports(directory: Path) -> dict[str, str]:
    """An environment with ports that are free, and a certificate."""
    issue(directory / "certificate")
    ports = {f"GPU_FLEET_{name}_PORT": free_port() for name in ("LISTEN", "PROBE", "SIMULATION")}
    return {**environ(directory), **ports}


@pytest.fixture
def deployed(tmp_path: Path) -> dict[str, str]:
    return with_ports(tmp_path)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A fleet that several tests share."""
    with serving(with_ports(tmp_path_factory.mktemp("shared"))) as found:
        yield found


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with running.client() as found:
        yield found


def reserve(client: httpx.Client, key: str, instance: str, gpu_type: str = "H100") -> httpx.Response:
    body = {"instance": instance, "gpu_type": gpu_type, "gpu_count": 1}
    return client.post("/v1/reservations", json=body, headers={"Idempotency-Key": key})


def test_what_was_acknowledged_survives_a_kill(deployed: dict[str, str]) -> None:
    acknowledged: list[dict[str, str]] = []
    begun = threading.Event()

    def write(running: Running) -> None:
        with running.client() as client:
            for number in range(10_000):
                try:
                    answer = reserve(client, f"key-{number}", str(uuid.UUID(int=number)))
                except httpx.TransportError:
                    return
                if answer.status_code == 201:
                    acknowledged.append(answer.json())
                if len(acknowledged) == 5:
                    begun.set()

    with serving(deployed) as running:
        writer = threading.Thread(target=write, args=[running])
        writer.start()
        assert begun.wait(30)
        running.kill()
        writer.join()
    with serving(deployed) as running, running.client() as client:
        found = {its["id"]: its for its in client.get("/v1/reservations").json()["items"]}
        assert len(acknowledged) >= 5
        assert [found[its["id"]] for its in acknowledged] == acknowledged
        gpus = [gpu for its in found.values() for gpu in its["gpus"]]
        assert len(gpus) == len(set(gpus))
        again = reserve(client, "key-0", str(uuid.UUID(int=0)))
        assert (again.status_code, again.json()) == (200, acknowledged[0])


def test_one_process_has_the_store_and_ends_when_it_is_told_to(deployed: dict[str, str]) -> None:
    with serving(deployed) as running:
        second = command({**deployed, "GPU_FLEET_LISTEN_PORT": free_port()}, "serve")
        running.process.send_signal(signal.SIGTERM)
        output, _errors = running.process.communicate(timeout=30)
    assert second.returncode == 74
    assert "locked" in second.stderr
    assert running.process.returncode == 0
    assert [json.loads(line)["message"] for line in output.splitlines()][-1] == "stopped"


def test_an_answer_is_lost_with_its_connection(running: Running, client: httpx.Client) -> None:
    made = command(running.environment, "fault", "set", '{"kind": "reply_lost", "operation": "reserve"}')
    assert made.returncode == 0, made.stderr
    instance = str(uuid.uuid4())
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        reserve(client, "lost", instance)
    again = reserve(client, "lost", instance)
    assert (again.status_code, again.json()["instance"]) == (200, instance)


def test_controllers_at_once_get_no_gpu_twice(running: Running) -> None:
    instances = [str(uuid.uuid4()) for _each in range(6)]

    def controller(number: int) -> list[httpx.Response]:
        with running.client() as client:
            return [reserve(client, f"{number}-{instance}", instance, "L40S") for instance in instances]

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for answers in pool.map(controller, range(8)) for answer in answers]
    made = [answer.json() for answer in answers if answer.status_code == 201]
    assert len({its["instance"] for its in made}) == len({its["gpus"][0] for its in made}) == len(made) == 4
    refused = {answer.json()["code"] for answer in answers if answer.status_code != 201}
    assert refused == {"instance_reserved", "no_capacity"}


def test_only_tls_of_today(running: Running) -> None:
    old = ssl.create_default_context(cafile=running.environment["GPU_FLEET_CA_FILE"])
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    url = f"https://127.0.0.1:{running.environment['GPU_FLEET_LISTEN_PORT']}"
    with httpx.Client(verify=old, trust_env=False) as client, pytest.raises(httpx.ConnectError):
        client.get(f"{url}/v1/nodes")
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.TransportError):
        client.get(f"{url.replace('https', 'http')}/v1/nodes")


def test_what_a_check_asks(running: Running) -> None:
    status = command(running.environment, "status")
    assert (status.returncode, status.stderr) == (0, "")
    assert json.loads(status.stdout)["nodes"] == {f"gpu-{number:02d}": "ready" for number in (1, 2, 3, 4)}


def simulate(running: Running, *arguments: str) -> str:
    """Run a command that asks the simulation, in this process: a new one costs a second."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        assert cli.main(arguments) == 0
    return output.getvalue()


def test_the_commands_of_the_simulation(running: Running, client: httpx.Client) -> None:
    fault = json.dumps({"kind": "node_lost", "node": "gpu-03"})
    assert simulate(running, "fault", "set", "--id", "away", fault) == "away\n"
    assert client.get("/v1/nodes").json()["items"][2]["state"] == "lost"
    assert "away" in [its["id"] for its in json.loads(simulate(running, "fault", "list"))["items"]]
    simulate(running, "fault", "clear")
    assert client.get("/v1/nodes").json()["items"][2]["state"] == "ready"
    assert json.loads(simulate(running, "clock", "50")) == {"speed": 50.0}
    assert json.loads(simulate(running, "clock")) == {"speed": 50.0}
    reserve(client, "effect", str(uuid.uuid4()))
    assert [json.loads(line)["effect"] for line in simulate(running, "ledger").splitlines()][-1] == "reserve"
    simulate(running, "forget")
    assert client.get("/v1/reservations").json() == {"items": []}


def test_a_fault_that_cannot_be_is_refused(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        assert cli.main(["fault", "set", '{"kind": "node_lost", "node": "gpu-99"}']) == 69
        assert cli.main(["fault", "set", "{"]) == 69
    refused, malformed = capsys.readouterr().err.splitlines()
    assert refused == "gpu-fleet fault: 409 fault_refused: There is no node gpu-99."
    assert malformed.startswith("gpu-fleet fault: the fault is not JSON: ")


def test_a_wrong_configuration_is_named(deployed: dict[str, str]) -> None:
    broken = {**deployed, "GPU_FLEET_NODES": "9xH100", "GPU_FLEET_SPEED": "0", "GPU_FLEET_SEED": ""}
    found = command(broken, "serve")
    assert found.returncode == 78
    assert "GPU_FLEET_NODES is not a list such as 8xH100,8xA100" in found.stderr
    assert "GPU_FLEET_SPEED is not a whole number" in found.stderr
    assert "GPU_FLEET_SEED is missing" in found.stderr
    assert "9xH100" not in found.stderr


def test_more_at_once_than_it_takes_are_told_to_come_again(running: Running, client: httpx.Client) -> None:
    head = (
        f"POST /v1/reservations HTTP/1.1\r\nHost: fleet\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Idempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n"
    )
    context = ssl.create_default_context(cafile=running.environment["GPU_FLEET_CA_FILE"])
    with contextlib.ExitStack() as held:
        for _each in range(MAX_REQUESTS):
            address = ("127.0.0.1", int(running.environment["GPU_FLEET_LISTEN_PORT"]))
            raw = held.enter_context(socket.create_connection(address))
            held.enter_context(context.wrap_socket(raw, server_hostname="127.0.0.1")).sendall(head.encode())
        refused = client.get("/v1/capacity")
        assert running.ready()
    assert refused.status_code == 503
    assert (refused.json()["code"], refused.headers["Retry-After"]) == ("unavailable", "1")


def test_without_a_collector_nothing_is_imported() -> None:
    code = (
        "from gpu_fleet import cli, process, tracing\n"
        "import sys\n"
        "tracing.begin({})\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter', 'requests'))])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, check=True, capture_output=True
    )
    assert said.stdout.strip() == b"[]"


@pytest.mark.parametrize("endpoint", ["traces:4318", "ftp://traces:4318", "http://traces:4318/"])
def test_an_endpoint_that_is_no_url_is_refused_by_name(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match=tracing.ENDPOINT):
        tracing.begin({tracing.ENDPOINT: endpoint})
