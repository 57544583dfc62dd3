"""The status: what it gathers, how it looks, and what it says when something is amiss."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._status import gather as module
from ansible_collections.gpuaas.parity.plugins.module_utils._status.gather import (
    Place,
    age,
    authority,
    blockers,
    component,
    gather,
    users,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._status.screen import duration, screen, table
from ansible_collections.gpuaas.parity.tests.unit.checks.containers import PROJECT, container, docker_of, job
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import Platform, contract, realm
from ansible_collections.gpuaas.parity.tests.unit.kube.objects import FakeReader, named, pod, waiting, workload

NS = "gpuaas-control-plane"
NOW = datetime.datetime(2026, 11, 21, 10, 12, tzinfo=datetime.UTC)
NODE = {"Id": "1", "State": {"Status": "running"}, "Config": {"Image": "kind-node:1"}}


def docker(*containers: dict[str, Any]) -> Docker:
    def run(_argv: Sequence[str], **_: Any) -> Completed:
        return Completed(json.dumps(containers), "" if containers else "Error: No such container: x", 0 if containers else 1)

    return Docker(run)


def node(ready: str = "True") -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": ready}], "nodeInfo": {"kubeletVersion": "v1.36.3"}}
    return named("gpuaas-parity-control-plane", status=status)


class Cluster(FakeReader):
    """A reader that is made like the real one."""

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        return


@pytest.fixture
def objects() -> dict[str, list[dict[str, Any]]]:
    return {
        "nodes": [node()],
        "deployments": [workload("api", NS), workload("web", NS), workload("traefik", "gpuaas-ingress")],
        "pods": [pod("api-1", NS, "api", restartCount=2), pod("web-1", NS, "web"), pod("t-1", "gpuaas-ingress", "traefik")],
    }


@pytest.fixture
def place(state_dir: Path, platform: Platform, objects: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    (state_dir / "rendered").mkdir()
    endpoints = contract(platform.port)
    for name in endpoints["endpoints"]:
        endpoints["endpoints"][name]["purpose"] = f"the {name}"
    endpoints["endpoints"]["auth"]["health"] = "/realms/gpuaas/.well-known/openid-configuration"
    (state_dir / "rendered" / "contract.json").write_text(json.dumps(endpoints))
    (state_dir / "rendered" / "realm.json").write_text(json.dumps(realm(1)))
    monkeypatch.setattr(module.KubeReader, "from_file", lambda _path, timeout: Cluster(objects))
    yield Place("gpuaas-parity", state_dir, state_dir / "kubeconfig")


def test_a_platform_that_is_ready(place: Place) -> None:
    status = gather(place, docker(NODE))
    assert status["ready"], blockers(status)
    assert status["cluster"] | {"age_seconds": 0} == {
        "name": "gpuaas-parity",
        "node": "gpuaas-parity-control-plane",
        "node_image": "kind-node:1",
        "kubernetes": "v1.36.3",
        "age_seconds": 0,
        "ready": True,
    }
    assert {row["name"]: row["now"] for row in status["endpoints"]} == {"api": "200", "auth": "200", "web": "200"}
    text = "\n".join(screen(status))
    for part in ("cluster gpuaas-parity: Ready, Kubernetes v1.36.3", "the web", "user_alice_password", "secrets.yml", "to trust it"):
        assert part in text
    assert "alice-password" not in text


def test_what_is_not_ready_is_named(place: Place, objects: dict[str, Any], platform: Platform) -> None:
    platform.fault = "no discovery"
    objects["nodes"] = [node("Unknown")]
    objects["deployments"][0] = workload("api", NS, ready=0)
    objects["pods"][0] = pod("api-1", NS, "api", ready=False, **waiting("CrashLoopBackOff"))
    status = gather(place, docker(NODE))
    assert not status["ready"]
    found = blockers(status)
    assert found[0] == "node gpuaas-parity-control-plane is not Ready"
    assert found[1] == "api: pod api-1, container api: CrashLoopBackOff"
    assert found[2].endswith(": 404")
    assert "CrashLoopBackOff" in "\n".join(screen(status))


def test_endpoints_that_do_not_answer_do_not_make_it_wait(place: Place) -> None:
    document = contract(1)
    (place.state_dir / "rendered" / "contract.json").write_text(json.dumps(document))
    rows = gather(place, docker(NODE))["endpoints"]
    assert {row["now"] for row in rows} == {"no answer (ConnectError)"}


def test_without_a_ca_nothing_is_verified_and_nothing_is_ready(place: Place) -> None:
    (place.state_dir / "tls" / "ca.crt").unlink()
    status = gather(place, docker(NODE))
    assert not status["ready"]
    assert "no CA to verify it with" in status["endpoints"][0]["now"]
    assert status["ca"]["not_after"] == ""
    assert "missing or unreadable" in "\n".join(screen(status))


def test_no_cluster_and_a_stopped_one(place: Place) -> None:
    with pytest.raises(ParityError, match="CLUSTER_ABSENT"):
        gather(place, docker())
    with pytest.raises(ParityError, match="NOT_READY: the node gpuaas-parity-control-plane is exited"):
        gather(place, docker({**NODE, "State": {"Status": "exited"}}))


def test_a_component_that_is_not_there(objects: dict[str, Any]) -> None:
    row = component(Snapshot(FakeReader(objects)), "redis", "gpuaas-data", NOW)
    assert row == {
        "name": "redis",
        "ready": 0,
        "wanted": 1,
        "age_seconds": 0,
        "restarts": 0,
        "reason": "WORKLOAD_NOT_READY",
        "blocker": "not in namespace gpuaas-data",
        "starting": False,
    }


def test_a_component_that_stands(objects: dict[str, Any]) -> None:
    row = component(Snapshot(FakeReader(objects)), "api", NS, NOW)
    assert row == {
        "name": "api",
        "ready": 1,
        "wanted": 1,
        "age_seconds": 720,
        "restarts": 2,
        "reason": "",
        "blocker": "",
        "starting": False,
    }


def test_users_have_the_place_of_their_passwords(state_dir: Path) -> None:
    assert users(state_dir) == []
    (state_dir / "rendered").mkdir()
    (state_dir / "rendered" / "realm.json").write_text(json.dumps(realm(1)))
    rows = {row["user"]: (row["role"], row["password_key"]) for row in users(state_dir)}
    assert rows["alice"] == ("operator", "user_alice_password")
    assert rows["admin"] == ("administrator", "keycloak_admin_password")


def test_the_ca(state_dir: Path) -> None:
    row = authority(state_dir, "gpuaas-parity-demo", datetime.datetime.now(datetime.UTC))
    assert row["days_left"] > 0
    assert str(state_dir / "tls" / "ca.crt") in row["trust"]
    assert "/ca-certificates/gpuaas-parity-demo.crt " in row["trust"]
    (state_dir / "tls" / "ca.crt").write_text("x")
    assert authority(state_dir, "x", NOW)["not_after"] == ""


def test_ages() -> None:
    assert age("2026-11-21T10:00:00Z", NOW) == 720
    assert age("2026-11-21T11:00:00Z", NOW) == 0
    assert age(None, NOW) == 0
    assert [duration(seconds) for seconds in (0, 119, 120, 7199, 7200, 172800)] == ["0s", "119s", "2m", "119m", "2h", "2d"]


def test_a_table_is_as_wide_as_it_must_be() -> None:
    assert table(("A", "B"), [("long one", ""), ("x", "y")]) == ["A         B", "long one", "x         y"]
    assert table(("A",), []) == []


# -- a Compose project --------------------------------------------------------------


@pytest.fixture
def project_place(place: Place) -> Place:
    """The same platform as a Compose project, without a kubeconfig."""
    file = place.state_dir / "rendered" / "contract.json"
    document = {**json.loads(file.read_text()), "mode": "compose", "target": "compose", "project": PROJECT}
    document["services"]["coredns"] = {"role": "cluster", "provided_by": "Docker's embedded DNS", "settings": {}, "secrets": {}}
    file.write_text(json.dumps(document))
    return Place("gpuaas-parity", place.state_dir)


def parts(**changes: Any) -> list[dict[str, Any]]:
    port = ("9443/tcp", "127.0.0.1", "9443")
    found = {name: container(name) for name in ("api", "web", "secrets")}
    found["traefik"] = container("traefik", ports=[port, ("5432/tcp", "127.0.0.1", "15432")])
    found["api-migrate"] = job("api-migrate")
    return list({**found, **changes}.values())


def test_a_project_that_is_ready(project_place: Place) -> None:
    status = gather(project_place, docker_of(parts()))
    assert status["ready"], blockers(status)
    assert "cluster" not in status
    assert status["project"] | {"age_seconds": 0} == {
        "name": PROJECT,
        "running": 4,
        "containers": 4,
        "age_seconds": 0,
        "ready": True,
        "blocker": "",
    }
    assert [row["name"] for row in status["components"]] == ["api", "web", "traefik"]
    text = "\n".join(screen(status))
    for part in (f"project {PROJECT}: 4/4 containers run, age ", "the web", "user_alice_password", "to trust it", "api        1/1"):
        assert part in text, text
    assert "alice-password" not in text


def test_data_stores_are_shown_with_their_host_ports_and_endpoints_are_not(project_place: Place) -> None:
    status = gather(project_place, docker_of(parts()))
    for row in status["endpoints"]:
        row["url"] = "https://web.gpuaas.localhost:9443"
    assert "on the host besides: traefik 127.0.0.1:15432" in screen(status)


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"api": container("api", health="unhealthy")}, f"api: container {PROJECT}-api-1 is unhealthy: not yet"),
        ({"api": container("other")}, f"api: no container in the project {PROJECT}"),
        ({"api": container("api", status="exited", code=1)}, f"api: container {PROJECT}-api-1 is exited with 1"),
        ({"api-migrate": job("api-migrate", code=3)}, "api-migrate ended with 3"),
    ],
)
def test_a_project_that_is_not(project_place: Place, changes: dict[str, Any], seen: str) -> None:
    status = gather(project_place, docker_of(parts(**changes)))
    assert not status["ready"]
    assert seen in blockers(status)
    assert seen.partition(": ")[2] in "\n".join(screen(status))


def test_a_given_kubeconfig_does_not_make_a_project_a_cluster(project_place: Place) -> None:
    place = Place("gpuaas-parity", project_place.state_dir, project_place.state_dir / "kubeconfig")
    assert "project" in gather(place, docker_of(parts()))


def test_no_project(project_place: Place) -> None:
    with pytest.raises(ParityError, match="PROJECT_ABSENT"):
        gather(project_place, docker_of([]))
    (project_place.state_dir / "rendered" / "contract.json").unlink()
    with pytest.raises(ParityError, match="PROJECT_ABSENT"):
        gather(project_place, docker_of(parts()))


def test_a_cluster_without_a_kubeconfig_says_what_is_missing(place: Place) -> None:
    with pytest.raises(ParityError, match="KUBECONFIG_INVALID"):
        gather(Place("gpuaas-parity", place.state_dir), docker(NODE))
