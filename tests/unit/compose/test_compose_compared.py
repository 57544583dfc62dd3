"""Compose beside Kubernetes: exceptions are told with their reason, and a container that runs otherwise differs in meaning."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import EXCEPTION, MEANING, compare
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import differences, document, rendered, table
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform, load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import Tree

from .conftest import CHECKOUT
from .shop import Shop, pod, workload

Edit = Callable[[bytes], bytes]
Found = Callable[[str, str, Edit], dict[str, tuple[str | None, str | None]]]


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load_platform(CHECKOUT / "platform")


@pytest.fixture(scope="module")
def trees(platform: Platform, lane: str) -> dict[str, Tree]:
    return {name: render_mode(platform, platform.mode(name), lane).tree for name in ("kind", "compose")}


@pytest.fixture(scope="module")
def found(platform: Platform, lane: str, trees: dict[str, Tree]) -> Found:
    """What differs in meaning when a file of one mode's tree is edited: path -> (in kind, in compose)."""

    def compared(mode: str, file: str, edit: Edit) -> dict[str, tuple[str | None, str | None]]:
        edited = {name: dict(tree) for name, tree in trees.items()}
        edited[mode][file] = edit(trees[mode][file])
        assert edited[mode] != trees[mode]
        kind, compose = (rendered(platform, platform.mode(name), lane, tree) for name, tree in edited.items())
        told = compare(platform.contract, platform.realm, lane, kind, compose)
        return {item.path: (item.a, item.b) for item in told if item.group == MEANING}

    return compared


def replace(old: str, new: str) -> Edit:
    return lambda data: data.decode().replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("-c jit=off", "-c jit=off -c fsync=off", "containers.postgres.args.0"),
        ("--maxmemory-policy noeviction", "--maxmemory-policy allkeys-lru", "containers.redis.command.2"),
        ("--import-realm", "--import-realm --features=token-exchange", "containers.keycloak.args.0"),
        ("- --reload", "- --reload\n      - --fast", "containers.api.args.2"),
        ("mem_limit: 1g", "mem_limit: 2g", "containers.keycloak.memory"),
        ("cpu_shares: 1484", "cpu_shares: 1", "containers.keycloak.processor"),
        ("user: 999:999", "user: 0:0", "containers.postgres-snapshot.user"),
        ("stop_grace_period: 20s", "stop_grace_period: 0s", "containers.keycloak.grace"),
        ("/run/keycloak:size=64k", "/run/keycloak:size=64m", "containers.keycloak.mounts./run/keycloak"),
        ("target: /etc/gpuaas/ca", "target: /etc/gpuaas/others", "containers.api.mounts./etc/gpuaas/ca"),
        ("- pg_isready", "- 'true'", "containers.postgres.ready.0"),
        ("- migrate", "- rollback", "containers.api-migrate.args.0"),
        ("PGDATA: /var", "PGDATA: /tmp", "containers.postgres-snapshot.environment.PGDATA"),
        ("read_only: true\n    cap_drop", "cap_drop", "containers.api.read_only"),
        ("- ALL\n", "- MKNOD\n", "containers.api.capabilities.drop.0"),
        ("  keycloak:\n", "  keycloak:\n    privileged: true\n", "containers.keycloak.also.0"),
        ("image: gpuaas-parity/keycloak", "image: gpuaas-parity/another", "containers.keycloak.image"),
    ],
)
def test_a_rendered_service_that_runs_otherwise_differs_in_meaning(found: Found, old: str, new: str, path: str) -> None:
    assert path in found("compose", "compose.yml", replace(old, new))


def test_both_values_are_told(found: Found) -> None:
    told = found("compose", "compose.yml", replace("mem_limit: 1g", "mem_limit: 2g"))
    assert told == {"containers.keycloak.memory": ("1g", "2g")}


@pytest.mark.parametrize(
    ("file", "old", "new", "path"),
    [
        ("data_stores/base/postgres/postgres.yaml", "-c jit=off", "-c jit=off -c fsync=off", "containers.postgres.args.0"),
        ("data_stores/base/redis/redis.yaml", "noeviction", "allkeys-lru", "containers.redis.command.2"),
        ("identity/base/keycloak/keycloak.yaml", "limits: {memory: 1Gi}", "limits: {memory: 2Gi}", "containers.keycloak.memory"),
        ("control_plane/base/api-migrate/api-migrate.yaml", "args: [migrate]", "args: [rollback]", "containers.api-migrate.args.0"),
    ],
)
def test_an_overlay_that_runs_otherwise_differs_in_meaning(found: Found, file: str, old: str, new: str, path: str) -> None:
    assert path in found("kind", file, replace(old, new))


def test_a_container_too_many_differs_in_meaning(found: Found, lane: str) -> None:
    extra = replace("services:\n", f"services:\n  stranger:\n    image: gpuaas-parity/base\n    profiles: [{lane}]\n")
    assert "containers.stranger.image" in found("compose", "compose.yml", extra)


def test_exceptions_are_told_with_their_reason(platform: Platform) -> None:
    told = {item.path: item for item in differences(platform, "kind", "compose", "core") if item.group == EXCEPTION}
    declared = {
        f"services.{name}.{'.'.join(one.path)}" for name, service in platform.contract.services.items() for one in service.exceptions.told()
    }
    assert set(told) == declared
    assert all(item.why and item.a is None and item.b for item in told.values())
    assert told["services.postgres.publish"].b == "15432"
    assert "--reload" in str(told["services.api.source"].b)


def test_exceptions_are_told_in_the_document_and_to_a_person(platform: Platform) -> None:
    told = differences(platform, "compose", "kind", "core")
    data = json.loads(json.dumps(document(told, "compose", "kind", "core")))
    count = sum(item.group == EXCEPTION for item in told)
    assert data["counts"]["exception"] == len(data["differences"]["exception"]) == count
    (row,) = [item for item in data["differences"]["exception"] if item["path"] == "services.redis.publish"]
    assert row == {"path": "services.redis.publish", "a": "16379", "b": None, "why": row["why"]}
    lines = table(told, "compose", "kind", "core", 120)
    assert lines[-1].endswith(f"{count} of exception, 0 of meaning")
    shown = next(index for index, line in enumerate(lines) if line.split()[:1] == ["redis.publish"])
    assert lines[shown + 1].strip() == row["why"]


def test_a_reset_is_composes_own_matter(platform: Platform, trees: dict[str, Tree], found: Found) -> None:
    assert {mode: "reset" in json.loads(tree["contract.json"])["services"]["api"] for mode, tree in trees.items()} == {
        "kind": False,
        "compose": True,
    }
    assert not [item for item in differences(platform, "kind", "compose", "core") if ".reset" in item.path]
    assert "services.api.reset.fill.1" in found("compose", "contract.json", replace('"api-seed"', '"another"'))


def test_an_instance_publishes_ports_of_its_own(platform: Platform) -> None:
    tree = render_mode(platform, platform.mode("compose", "mine"), "core").tree
    services = json.loads(tree["contract.json"])["services"]
    ports = [services[name]["publish"] for name in ("traefik", "postgres", "redis")]
    assert len({*ports, 15432, 16379, 9443}) == 6
    assert max(ports) - min(ports) < 20


def test_modes_that_are_no_compose_have_no_exceptions(platform: Platform, lane: str) -> None:
    assert not [item for item in differences(platform, "kind", "vm-105", lane) if item.group in (EXCEPTION, MEANING)]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_whatever_can_be_derived_means_the_same(shop: Shop) -> None:
    env = [{"name": "ADDRESS", "value": "$(SHOP_NAME):1"}, {"name": "COST", "value": "$5 ${SHOP_NAME}"}]
    shop.container.update(command=["/bin/sh", "-c", "x $(SHOP_NAME) $y"], env=env, workingDir="/srv")
    shop.container["resources"] = {"limits": {"memory": "96Mi"}, "requests": {"cpu": "70m"}}
    shop.mounts(tmp={"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}, disk={"emptyDir": {}}, ca={"configMap": {"name": "gpuaas-ca"}})
    shop.objects = [workload("Job", "shop-migrate", pod(args=["$(SHOP_NAME)"], env=[{"name": "A", "value": "1"}]))]
    shop.exceptions = {
        "publish": {"port": 15000, "why": "x"},
        "source": {"folder": "src", "at": "/src", "environment": {"B": "$2"}, "why": "x"},
        "health": {"test": ["ask"], "why": "x"},
        "files": {"routes": {"to": "/routes", "files": {"r.yml": "rendered/routes.yml"}, "of_endpoints": True, "why": "x"}},
        "containers": {"fill": {"args": ["fill"], "after": ["shop-migrate"], "why": "x"}},
    }
    shop.developed = True
    told = differences(shop.write(), "kind", "compose", "core")
    assert [item for item in told if item.group == MEANING] == []
    assert [item.path for item in told if item.group == EXCEPTION] == [
        f"services.shop.{key}" for key in ("containers.fill", "files.routes", "health", "publish", "source")
    ]


def test_a_pod_that_compose_cannot_run_is_compared_elsewhere(shop: Shop) -> None:
    shop.spec |= {"hostNetwork": True}
    shop.mounts(host={"hostPath": {"path": "/"}})
    shop.container["readinessProbe"] = {"grpc": {"port": 1}}
    platform = shop.write()
    assert differences(platform, "kind", "kind", "core") == []
