"""Certificates of a component as they are delivered: compared with those of the run, and good for a while yet."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.configuration import Configuration
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import no_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.keep import keep
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.containers import PROJECT, answers, container
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import contract
from ansible_collections.gpuaas.parity.tests.unit.kube.objects import named, pod, workload

Object = dict[str, Any]
Look = Callable[..., Observation]
NS = "gpuaas-data"
FILES = ("ca.crt", "tls.crt", "tls.key")
BOTH = ("kubernetes", "compose")


class Bus:
    """A component with a certificate of the run, on a platform that delivers what ``delivered`` holds."""

    def __init__(self, state_dir: Path, make_context: MakeContext) -> None:
        self.state_dir, self.make_context = state_dir, make_context
        self.tls = state_dir / "tls"
        (self.tls / "ca.crt").unlink()
        self.issue(datetime.now(UTC))
        self.delivered = {name: self.file(name).read_bytes() for name in FILES}
        self.secrets = ["bus-server-tls-2g7h"]

    def file(self, name: str) -> Path:
        return self.tls / name if name == "ca.crt" else self.tls / "bus-server" / name

    def document(self, target: str) -> Object:
        certificates = {"server": {"usage": "server", "names": [f"bus.{NS}.svc.cluster.local"]}}
        bus = {"role": "data", "namespace": NS, "workload": "deployment/bus", "settings": {}, "secrets": {}, "certificates": certificates}
        found = contract(1)
        return {**found, "domain": "gpuaas.localhost", "target": target, "project": PROJECT, "services": {**found["services"], "bus": bus}}

    def issue(self, at: datetime) -> None:
        keep(self.document("kubernetes"), self.state_dir, at, dry=False)

    def look(self, target: str) -> Observation:
        return Configuration("bus").run(self.in_cluster() if target == "kubernetes" else self.in_project())

    def in_cluster(self) -> Context:
        item = pod("bus-1", NS, "bus")
        item["spec"]["volumes"] = [{"name": name, "secret": {"secretName": name}} for name in self.secrets]
        data = {name: base64.b64encode(value).decode() for name, value in self.delivered.items()}
        objects = {
            "deployments": [workload("bus", NS)],
            "pods": [item],
            "secrets": [named(name, NS, data=data) for name in self.secrets],
        }
        return self.make_context(objects, contract=self.document("kubernetes"))

    def in_project(self) -> Context:
        def inside(_ident: str, command: Sequence[str]) -> Completed:
            shown = self.delivered if command[-1] == "/certificates" else {}
            lines = [f"{hashlib.sha256(data).hexdigest()}  ./{name}\n" for name, data in shown.items()]
            return Completed("".join(lines), "", 0)

        mounts = {f"{PROJECT}_{name.removesuffix('-2g7h')}": "/certificates" for name in self.secrets}
        docker = answers([container("bus", env={}, mounts=mounts)], None, inside)
        return self.make_context(docker=docker, contract=self.document("compose"), snapshot=no_cluster())


@pytest.fixture
def bus(state_dir: Path, make_context: MakeContext) -> Bus:
    return Bus(state_dir, make_context)


@pytest.mark.parametrize("target", BOTH)
def test_what_is_delivered_is_the_runs(bus: Bus, target: str) -> None:
    found = bus.look(target)
    assert found.ok, found.seen
    assert "1 certificates are the run's" in found.seen


@pytest.mark.parametrize("target", BOTH)
@pytest.mark.parametrize("file", FILES)
def test_another_file_is_red_and_not_shown(bus: Bus, target: str, file: str) -> None:
    bus.delivered[file] = b"-----BEGIN PRIVATE KEY-----\nAbCdEf\n"
    found = bus.look(target)
    assert (found.ok, found.reason) == (False, "TLS_INVALID")
    assert file in found.seen
    assert "is not what" in found.seen
    assert "AbCdEf" not in found.seen


@pytest.mark.parametrize("target", BOTH)
@pytest.mark.parametrize("file", ["tls.crt", "tls.key"])
def test_a_missing_file_is_red(bus: Bus, target: str, file: str) -> None:
    del bus.delivered[file]
    found = bus.look(target)
    assert found.reason == "TLS_INVALID"
    assert f"lacks {file}" in found.seen


@pytest.mark.parametrize("target", BOTH)
def test_no_certificate_at_all_is_red(bus: Bus, target: str) -> None:
    bus.secrets = []
    assert bus.look(target).reason == "TLS_INVALID"


def test_two_secrets_for_one_certificate_are_red(bus: Bus) -> None:
    bus.secrets = ["bus-server-tls-2g7h", "bus-server-tls-9k4m"]
    found = bus.look("kubernetes")
    assert found.reason == "TLS_INVALID"
    assert "not exactly one" in found.seen


@pytest.mark.parametrize("target", BOTH)
def test_a_certificate_that_was_issued_again_and_not_delivered_is_red(bus: Bus, target: str) -> None:
    bus.file("tls.crt").unlink()
    bus.issue(datetime.now(UTC))
    assert bus.look(target).reason == "TLS_INVALID"


@pytest.mark.parametrize("target", BOTH)
def test_a_file_that_is_gone_here_cannot_be_compared(bus: Bus, target: str) -> None:
    bus.file("tls.key").unlink()
    found = bus.look(target)
    assert found.reason == "TLS_INVALID"
    assert "cannot be compared" in found.seen


@pytest.mark.parametrize("target", BOTH)
@pytest.mark.parametrize(("age", "ok"), [(75, True), (77, False)])
def test_a_certificate_that_ends_soon_is_red_before_it_ends(
    state_dir: Path, make_context: MakeContext, target: str, age: int, ok: bool
) -> None:
    bus = Bus(state_dir, make_context)
    issued = datetime.now(UTC).replace(microsecond=0) - timedelta(days=age)
    bus.file("tls.crt").unlink()
    bus.issue(issued)
    bus.delivered = {name: bus.file(name).read_bytes() for name in FILES}
    found = bus.look(target)
    assert found.ok is ok
    if not ok:
        assert found.reason == "TLS_EXPIRING"
        assert f"{issued + timedelta(days=90):%Y-%m-%d}" in found.seen


def test_a_certificate_that_the_contract_wants_otherwise_is_red(bus: Bus) -> None:
    document = bus.document("kubernetes")
    document["services"]["bus"]["certificates"]["server"]["names"] = ["bus.elsewhere.svc.cluster.local"]
    bus.document = lambda _target: document  # type: ignore[method-assign, misc, assignment]
    found = bus.look("kubernetes")
    assert found.reason == "TLS_INVALID"
    assert "it is for another name" in found.seen
