"""machine.yml: images by key, and digests that change with all that a container is made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._compose import machine, sources, started
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.networks import cut_off
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

from .conftest import PROJECT, Engine, container

KEYS = {name: f"key-of-{name}" for name in ("base", "traefik", "postgres", "valkey", "keycloak", "control-plane")}
Rendered = Callable[[], tuple[Path, Path]]


def made(rendered: Rendered) -> dict[str, Any]:
    root, state = rendered()
    return machine.machine_file(machine.load_project(root), "core", KEYS, root, state)


def digests(document: dict[str, Any]) -> dict[str, str]:
    return {name: service["labels"][machine.MADE_FROM_LABEL] for name, service in document["services"].items()}


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    old, new = digests(before), digests(after)
    return {name for name in old if old[name] != new[name]}


def test_images_are_named_by_their_key(rendered: Rendered) -> None:
    services = made(rendered)["services"]
    assert services["api"]["image"] == services["api-migrate"]["image"] == "gpuaas-parity/control-plane:key-of-control-plane"
    assert services["secrets"]["image"] == "gpuaas-parity/base:key-of-base"


def test_everything_says_whose_it_is(rendered: Rendered, tmp_path: Path) -> None:
    document = made(rendered)
    for kind in ("services", "networks", "volumes"):
        assert document[kind]
        assert {item["labels"][machine.STATE_LABEL] for item in document[kind].values()} == {str(tmp_path / ".parity/compose")}


def test_another_secret_changes_who_reads_it_and_who_hands_it_out(rendered: Rendered) -> None:
    root, state = rendered()
    before = made(rendered)
    (state / "secrets/files/redis/admin_password").write_text("another")
    after = machine.machine_file(machine.load_project(root), "core", KEYS, root, state)
    assert changed(before, after) == {"redis", "secrets"}


@pytest.mark.parametrize(
    ("file", "services"),
    [
        ("web.env", {"web"}),
        ("files/postgres-prepare/prepare.sh", {"postgres", "postgres-snapshot", "secrets"}),
        ("files/traefik-routes/routes.yml", {"traefik", "secrets"}),
        ("files/deliver.sh", {"secrets"}),
    ],
)
def test_another_rendered_file_changes_who_reads_it(rendered: Rendered, file: str, services: set[str]) -> None:
    root, state = rendered()
    before = made(rendered)
    (root / file).write_bytes((root / file).read_bytes() + b"\n")
    after = machine.machine_file(machine.load_project(root), "core", KEYS, root, state)
    assert changed(before, after) == services


def test_no_secret_is_written(rendered: Rendered) -> None:
    assert b"what /from/state/secrets" not in machine.as_bytes(made(rendered))


def test_an_image_without_a_key_is_refused(rendered: Rendered) -> None:
    root, state = rendered()
    with pytest.raises(ParityError) as caught:
        machine.machine_file(machine.load_project(root), "core", {}, root, state)
    assert caught.value.reason == "IMAGE_UNKNOWN"


def test_a_file_that_is_gone_is_named(rendered: Rendered) -> None:
    root, state = rendered()
    (state / "tls/ca.crt").unlink()
    with pytest.raises(ParityError) as caught:
        machine.machine_file(machine.load_project(root), "core", KEYS, root, state)
    assert (caught.value.reason, "tls/ca.crt" in caught.value.seen) == ("STATE_UNWRITABLE", True)


def test_a_project_that_is_not_rendered_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParityError) as caught:
        machine.load_project(tmp_path)
    assert caught.value.reason == "CONTRACT_NOT_RENDERED"


def running(document: dict[str, Any]) -> list[dict[str, Any]]:
    jobs = {"api-migrate", "api-seed", "postgres-snapshot"}
    return [
        container(name, status="exited" if name in jobs else "running", health="" if name in jobs else "healthy")
        for name in digests(document)
    ]


def labelled(items: list[dict[str, Any]], document: dict[str, Any]) -> list[dict[str, Any]]:
    for item in items:
        labels = item["Config"]["Labels"]
        labels[machine.MADE_FROM_LABEL] = digests(document)[labels["com.docker.compose.service"]]
    return items


def test_what_runs_as_it_should_needs_nothing(rendered: Rendered) -> None:
    document = made(rendered)
    assert machine.is_current(document, labelled(running(document), document))


@pytest.mark.parametrize(
    "wrong", [{"status": "exited", "rc": 1}, {"health": "unhealthy"}, {"health": "starting"}, {"status": "created"}], ids=str
)
def test_what_is_not_healthy_is_not_current(rendered: Rendered, wrong: dict[str, Any]) -> None:
    document = made(rendered)
    items = [item for item in running(document) if item["Config"]["Labels"]["com.docker.compose.service"] != "api"]
    assert not machine.is_current(document, labelled([*items, container("api", **wrong)], document))


def test_a_container_too_many_or_too_few_is_not_current(rendered: Rendered) -> None:
    document = made(rendered)
    items = labelled(running(document), document)
    assert not machine.is_current(document, items[1:])
    assert not machine.is_current(document, [*items, container("stranger")])
    assert not machine.is_current(document, [])


def test_what_another_lane_has_is_told_apart(rendered: Rendered) -> None:
    document = made(rendered)
    items = [*running(document), container("nats"), container("stranger")]
    found = machine.outside(machine.load_project(rendered()[0]), document, items)
    assert len(found) == 1 and "nats" in found[0]


def test_a_container_of_an_older_definition_is_not_current(rendered: Rendered) -> None:
    document = made(rendered)
    items = labelled(running(document), document)
    items[0]["Config"]["Labels"][machine.MADE_FROM_LABEL] = "older"
    assert not machine.is_current(document, items)


def test_a_container_that_somebody_defined_otherwise_is_not_as_started(engine: Engine, tmp_path: Path) -> None:
    engine.containers += [container("api"), container("web")]
    for item in engine.containers:
        item["Config"]["Labels"]["com.docker.compose.config-hash"] = "ours"
    assert not started.is_as_started(engine.containers, tmp_path)
    assert started.remember(Project(engine.docker, PROJECT), tmp_path, dry=False)
    assert started.is_as_started(engine.containers, tmp_path)
    assert not started.remember(Project(engine.docker, PROJECT), tmp_path, dry=False)
    engine.containers[1]["Config"]["Labels"]["com.docker.compose.config-hash"] = "theirs"
    assert not started.is_as_started(engine.containers, tmp_path)


def test_a_container_off_its_network_is_cut_off(project: dict[str, Any]) -> None:
    items = [container(name) for name in project["services"]]
    for item in items:
        item["NetworkSettings"] = {"Networks": {PROJECT: {}}}
    assert cut_off(project, items) == []
    items[0]["NetworkSettings"] = {"Networks": {}}
    assert cut_off(project, items) == [items[0]["Config"]["Labels"]["com.docker.compose.service"]]
    assert cut_off(project, [container("stranger")]) == []
    # It has none.
    assert cut_off(project, [container("secrets")]) == []


def contract_of(source: str) -> dict[str, Any]:
    return {"services": {"api": {"source": source}, "db": {}}}


def test_a_source_that_others_may_not_read_is_named(tmp_path: Path) -> None:
    package = tmp_path / "src"
    package.mkdir(mode=0o755)
    module = package / "main.py"
    module.write_text("")
    module.chmod(0o600)
    with pytest.raises(ParityError) as caught:
        sources.require_readable(contract_of("src"), tmp_path)
    assert caught.value.reason == "LOCAL_DEV_SOURCE_UNREADABLE"
    assert str(module) in caught.value.seen
    module.chmod(0o644)
    sources.require_readable(contract_of("src"), tmp_path)


def test_a_source_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParityError) as caught:
        sources.require_readable(contract_of("gone"), tmp_path)
    assert caught.value.reason == "LOCAL_DEV_SOURCE_UNREADABLE"
