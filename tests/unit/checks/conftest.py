"""A context made of stand-ins, and a small platform on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.tokens import Tokens
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client, loopback_address, tls_context
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import HOSTS, SECRETS, Platform, contract, realm
from ansible_collections.gpuaas.parity.tests.unit.kube.objects import FakeReader
from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Authority, serve

MakeContext = Callable[..., Context]


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "gpuaas.localhost")


@pytest.fixture(scope="session")
def contexts(authority: Authority) -> dict[str, Any]:
    return {host: authority.context(host) for host in HOSTS.values()}


@pytest.fixture
def state_dir(tmp_path: Path, authority: Authority) -> Path:
    root = tmp_path / "state"
    (root / "tls").mkdir(parents=True)
    (root / "tls" / "ca.crt").write_bytes(authority.ca_file.read_bytes())
    return root


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_context(state_dir: Path, clock: Clock) -> Iterator[MakeContext]:
    """A context over given Kubernetes objects, whose docker answers as ``docker`` does."""
    opened = []

    def make(
        objects: dict[str, list[dict[str, Any]]] | None = None,
        docker: Callable[[Sequence[str]], Completed] | None = None,
        port: int = 1,
        **changes: Any,
    ) -> Context:
        reader = FakeReader(objects)
        http = client(state_dir / "tls" / "ca.crt", timeout=2)
        opened.append(http)

        def runner(argv: Sequence[str], **_: Any) -> Completed:
            return docker(argv) if docker else Completed("", "", 1)

        def no_pod(namespace: str, pod: str, container: str, command: Sequence[str], timeout: float) -> Completed:
            raise AssertionError(command)

        given: dict[str, Any] = {
            "contract": contract(port),
            "realm": realm(port),
            "state_dir": state_dir,
            "snapshot": Snapshot(reader),
            "project": Project(Docker(runner), str(changes.get("contract", {}).get("project", ""))),
            "http": http,
            "docker": Docker(runner),
            "tokens": Tokens(clock),
            "secret": SECRETS.__getitem__,
            "clock": clock,
            "sleep": clock.sleep,
            "node": "gpuaas-parity-control-plane",
            "renew": lambda: Snapshot(reader),
            "reach": lambda host, port: (loopback_address(host), port),
            "trust": lambda: tls_context(state_dir / "tls" / "ca.crt"),
            "in_pod": no_pod,
            "drift": list,
        }
        return Context(**{**given, **changes})

    yield make
    for http in opened:
        http.close()


@pytest.fixture
def platform(contexts: dict[str, Any]) -> Iterator[Platform]:
    made = Platform()
    with serve(made.answer, contexts) as server:
        made.port = server.port
        yield made
