# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types drift, realm and paths: what was rendered is what is there, and can be reached."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster import connections
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import no_drift
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.drift import Drift
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.paths import Paths
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.realm import Realm
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.rows import Row
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import contract
from ansible_collections.gpuaas.parity.tests.unit.keycloak.made_up_identity import Identity, new_identity
from ansible_collections.gpuaas.parity.tests.unit.kube.objects import Object, named, pod, workload

NS = "gpuaas-control-plane"


# -- drift --------------------------------------------------------------------------------------


def test_a_row_is_a_failure_of_its_own_reason(make_context: MakeContext) -> None:
    rows = [Row("ConfigMap app/a", "data.A", "'2'", "'1'"), Row("Pod app/x", "", "not part of the platform", "", do="remove it")]
    found = Drift().run(make_context(drift=lambda: rows))
    assert (found.ok, found.reason) == (False, "OBJECTS_DRIFTED")
    assert found.seen == "ConfigMap app/a: data.A: '2', not '1'; Pod app/x: not part of the platform"
    assert found.details["advice"] == "{up}; remove it"
    assert [Row(**row) for row in found.details["rows"]] == rows


def test_no_row_is_as_rendered(make_context: MakeContext) -> None:
    assert Drift().run(make_context()).ok


def test_without_a_cluster_nothing_is_compared() -> None:
    with pytest.raises(ParityError, match="no cluster to compare"):
        no_drift()


# -- realm --------------------------------------------------------------------------------------


@pytest.fixture
def settled(tmp_path: Path) -> Any:
    with new_identity(tmp_path) as identity:
        identity.run()
        yield identity


def look_at_realm(identity: Identity, state_dir: Path, make_context: MakeContext, realm: dict[str, Any]) -> Any:
    (state_dir / "secrets").mkdir(exist_ok=True)
    file = state_dir / "secrets" / "secrets.yml"
    file.touch(mode=0o600)
    file.write_bytes(identity.secrets_file.read_bytes())
    check = Realm("parity-bootstrap", "keycloak_bootstrap_client_secret")
    return check.run(make_context(realm=realm))


def test_a_realm_that_needs_no_change(settled: Identity, state_dir: Path, make_context: MakeContext) -> None:
    settled.keycloak.log.clear()
    found = look_at_realm(settled, state_dir, make_context, settled.document)
    assert (found.ok, found.seen) == (True, "realm gpuaas is as it was rendered")


def test_a_redirect_uri_that_was_added(settled: Identity, state_dir: Path, make_context: MakeContext) -> None:
    """The realm has one more than the document: the same as a document with one less."""
    wanted = json.loads(json.dumps(settled.document))
    wanted["clients"]["gpuaas-web"]["redirect_uris"] = ["https://web.other.localhost/auth/callback"]
    found = look_at_realm(settled, state_dir, make_context, wanted)
    assert (found.ok, found.reason) == (False, "REALM_DRIFTED")
    (row,) = (row for row in found.details["rows"] if row["field"] == "redirectUris")
    assert row["object"] == "client gpuaas-web" and "web.other.localhost" in row["wanted"] and "web.gpuaas.localhost" in row["live"]


def test_a_password_that_was_changed_is_not_shown(settled: Identity, state_dir: Path, make_context: MakeContext) -> None:
    settled.set_secret("web_client_secret", "another-secret-of-the-web")
    found = look_at_realm(settled, state_dir, make_context, settled.document)
    assert not found.ok
    assert "another-secret" not in str(found) and "value-of" not in str(found)


# -- paths --------------------------------------------------------------------------------------


def platform(**services: Any) -> dict[str, Any]:
    """A contract in which api needs store, and a job needs it as well."""
    store = {
        "workload": "statefulset/store",
        "namespace": "data",
        "host": "store.data.svc.cluster.local",
        "ports": {"db": 5432},
        "needs": [],
    }
    api = {
        "workload": "deployment/api",
        "namespace": NS,
        "host": f"api.{NS}.svc.cluster.local",
        "ports": {"http": 8000},
        "needs": ["store"],
    }
    job = {"workload": "job/migrate", "namespace": NS, "needs": ["store"]}
    return {**contract(1), "services": {"store": store, "api": api, "job": job, **services}}


def service(name: str, namespace: str, address: str) -> Object:
    return {**named(name, namespace), "spec": {"clusterIP": address}}


@pytest.fixture
def cluster() -> dict[str, list[Object]]:
    return {
        "services": [service("store", "data", "10.96.0.5"), service("api", NS, "10.96.0.6")],
        "deployments": [workload("api", NS)],
        "pods": [pod("api-1", NS, "api", containerID="containerd://abc", state={"running": {"startedAt": "now"}})],
    }


def opens(*numbers: int) -> Callable[[Sequence[str]], Completed]:
    return lambda _argv: Completed("".join(f"{number}\n" for number in numbers), "", 0)


def test_every_service_and_every_need_is_connected_to(make_context: MakeContext, cluster: dict[str, list[Object]]) -> None:
    asked: list[Sequence[str]] = []

    def docker(argv: Sequence[str]) -> Completed:
        asked.append(argv)
        return Completed("0\n1\n2\n", "", 0)

    found = Paths().run(make_context(cluster, docker, contract=platform()))
    assert found.ok, found.seen
    (argv,) = asked
    ends = list(argv[argv.index("3") + 1 :])
    assert ends == ["-", "10.96.0.5", "5432", "-", "10.96.0.6", "8000", "abc", "store.data.svc.cluster.local", "5432"]


@pytest.mark.parametrize(
    ("opened", "seen"),
    [
        ((1, 2), "the node cannot connect to data/store (store) port 5432"),
        ((0, 1), "api cannot connect to store.data.svc.cluster.local port 5432"),
        (
            (2,),
            "the node cannot connect to data/store (store) port 5432; the node cannot connect to gpuaas-control-plane/api (api) port 8000",
        ),
    ],
)
def test_what_does_not_answer_is_named(
    make_context: MakeContext, cluster: dict[str, list[Object]], opened: tuple[int, ...], seen: str
) -> None:
    found = Paths().run(make_context(cluster, opens(*opened), contract=platform()))
    assert (found.ok, found.reason, found.seen) == (False, "PATH_CLOSED", seen)


def test_a_service_that_is_gone(make_context: MakeContext, cluster: dict[str, list[Object]]) -> None:
    cluster["services"].pop(0)
    found = Paths().run(make_context(cluster, opens(0, 1, 2), contract=platform()))
    assert (found.ok, found.seen) == (False, "store: there is no Service data/store")


def test_a_consumer_that_does_not_run_proves_nothing(make_context: MakeContext, cluster: dict[str, list[Object]]) -> None:
    cluster["pods"] = []
    found = Paths().run(make_context(cluster, opens(0, 1), contract=platform()))
    assert (found.ok, found.seen) == (False, "api: no pod of it runs, so nothing was tried from there")


def test_what_the_surroundings_provide_is_not_ours_to_reach(make_context: MakeContext, cluster: dict[str, list[Object]]) -> None:
    given = platform(store={"provided_by": "others", "ports": {"db": 1}, "host": "x", "namespace": "data"})
    found = Paths().run(make_context(cluster, opens(0), contract=given))
    assert found.ok, found.seen


def test_nothing_tried_is_a_failure(make_context: MakeContext, cluster: dict[str, list[Object]]) -> None:
    with pytest.raises(ParityError, match="nothing could be tried") as caught:
        Paths().run(make_context(cluster, lambda _argv: Completed("", "no such container", 1), contract=platform()))
    assert caught.value.reason == "PATH_CLOSED"


def test_the_command_on_the_node_opens_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a shell of this machine, whose node has no containers: of the node's own connections one opens and one does not."""
    import socket

    (tmp_path / "ctr").write_text("#!/bin/sh\necho TASK PID STATUS\n")
    (tmp_path / "ctr").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ports = [listener.getsockname()[1], unused.getsockname()[1]]
        ends = [text for port in ports for text in ("-", "127.0.0.1", str(port))]
        argv = ["bash", "-c", connections._OPEN, "connections", "2", *ends, "gone", "127.0.0.1", str(ports[0])]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.returncode) == (["0"], 0), done.stderr
