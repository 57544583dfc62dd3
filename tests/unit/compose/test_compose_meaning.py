"""A compose.yml says exceptions only: what would change how a component runs is refused, by its own words."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

from .conftest import CHECKOUT
from .shop import Shop, workload

REASON = "COMPOSE_CHANGES_MEANING"
# Each changes what a data store or the log-in promises; the whole of it stood in Compose alone once, unseen.
FLAGS = {
    "postgres": (["postgres", "-c", "fsync=off"], "fsync=off"),
    "redis": (["valkey-server", "--maxmemory-policy", "allkeys-lru"], "--maxmemory-policy allkeys-lru"),
    "keycloak": (["/opt/keycloak/bin/kc.sh", "start", "--optimized", "--features=token-exchange"], "--features=token-exchange"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The reference platform, to be edited."""
    return Path(shutil.copytree(CHECKOUT / "platform", tmp_path / "platform"))


def refused(folder: Path, component: str, said: dict[str, Any]) -> ParityError:
    """What loading the platform raises when the component's compose.yml says this too."""
    path = folder / "components" / component / "compose.yml"
    before = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(yaml.safe_dump(before | said), encoding="utf-8")
    with pytest.raises(ParityError) as caught:
        load_platform(folder)
    return caught.value


@pytest.mark.parametrize("component", sorted(FLAGS))
@pytest.mark.parametrize(
    "form",
    [
        lambda name, words: {"command": words},
        lambda name, words: {"args": words},
        lambda name, words: {"entrypoint": " ".join(words)},
        lambda name, words: {"services": {name: {"command": words}}},
        lambda name, words: {"containers": {name: {"args": words, "why": "x"}}},
        lambda name, words: {"containers": {name: {"command": words, "after": [name], "why": "x"}}},
        lambda name, words: {"deploy": {"anything": {"command": words}}},
    ],
    ids=["command", "args", "entrypoint", "services", "containers-args", "containers-command", "deploy"],
)
def test_a_servers_flag_is_refused_by_name(copy: Path, component: str, form: Any) -> None:
    words, flag = FLAGS[component]
    error = refused(copy, component, form(component, words))
    assert error.reason == REASON
    assert flag in error.seen
    assert f"platform/components/{component}/compose.yml" in error.seen


@pytest.mark.parametrize(
    ("component", "said", "named"),
    [
        ("keycloak", {"environment": {"KC_FEATURES": "token-exchange"}}, "KC_FEATURES"),
        ("postgres", {"environment": ["POSTGRES_INITDB_ARGS=--no-sync"]}, "POSTGRES_INITDB_ARGS"),
        ("redis", {"env": [{"name": "REDIS_MAXMEMORY", "value": "1gb"}]}, "REDIS_MAXMEMORY"),
        ("redis", {"mem_limit": "1g"}, "mem_limit"),
        ("postgres", {"tmpfs": ["/var/lib/postgresql/data"]}, "tmpfs"),
        ("postgres", {"shm_size": "1g"}, "shm_size"),
        ("api", {"image": "another"}, "another"),
        ("api", {"user": "0:0"}, "0:0"),
        ("api-migrate", {"containers": {"api-migrate": {"args": ["migrate", "--fast"], "why": "x"}}}, "--fast"),
        ("api", {"publish": {"port": 1, "why": "x", "command": ["x"]}}, "publish.command"),
    ],
)
def test_whatever_decides_how_it_runs_is_refused(copy: Path, component: str, said: dict[str, Any], named: str) -> None:
    error = refused(copy, component, said)
    assert error.reason == REASON
    assert named in error.seen


def test_a_secret_in_it_is_not_repeated(copy: Path) -> None:
    words = ["--requirepass", "hunter2", "--masterauth=swordfish"]
    error = refused(copy, "redis", {"args": words, "environment": {"REDIS_PASSWORD": "sesame"}})
    assert error.reason == REASON
    assert "--requirepass" in error.seen
    assert not [value for value in ("hunter2", "swordfish", "sesame") if value in error.seen]


def test_what_is_not_known_has_the_wrong_shape(copy: Path) -> None:
    error = refused(copy, "redis", {"pubilsh": {"port": 1, "why": "x"}})
    assert (error.reason, "pubilsh" in error.seen) == ("CONTRACT_INVALID", True)


@pytest.mark.parametrize("key", ["publish", "source", "health", "files", "containers"])
def test_every_exception_has_a_reason(copy: Path, key: str) -> None:
    whole = {
        "publish": {"port": 1},
        "source": {"folder": "src", "at": "/src"},
        "health": {"test": ["true"]},
        "files": {"a": {"to": "/a", "files": {"b": "component/b"}}},
        "containers": {"fill": {"args": ["fill"]}},
    }
    error = refused(copy, "keycloak", {key: whole[key]})
    assert error.reason == "CONTRACT_INVALID"
    assert "lacks why" in error.seen


SOURCE = {"folder": "src", "at": "/src", "why": "An edit shows at once."}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.container["args"] = ["serve", "--port=1"]
    found.exceptions = {"source": SOURCE}
    found.developed = True
    return found


def test_source_is_mounted_over_an_image_that_is_developed(shop: Shop) -> None:
    shop.exceptions = {"source": SOURCE | {"command": ["python"], "args": ["serve", "--port=1", "--reload"], "environment": {"A": "$b"}}}
    service = shop.services()["shop"]
    assert (service["entrypoint"], service["command"]) == (["python"], ["serve", "--port=1", "--reload"])
    assert service["environment"] == {"A": "$$b"}
    (mount,) = service["volumes"]
    assert (mount["source"], mount["target"], mount["read_only"]) == ("../../src", "/src", True)


def test_source_over_somebody_elses_program_is_refused(shop: Shop) -> None:
    shop.developed = False
    error = shop.refused()
    assert error.reason == REASON
    assert "image shop is not marked `developed`" in error.seen


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"args": ["serve", "--reload"]}, "must begin with the manifest's: serve --port=1"),
        ({"environment": {"SHOP_NAME": "another"}}, "source.environment.SHOP_NAME"),
        ({"environment": {"OWN": "another"}}, "source.environment.OWN"),
    ],
)
def test_source_brings_no_other_meaning(shop: Shop, more: dict[str, Any], said: str) -> None:
    shop.container["env"] = [{"name": "OWN", "value": "x"}]
    shop.exceptions = {"source": SOURCE | more}
    error = shop.refused()
    assert error.reason == REASON
    assert said in error.seen


def test_source_replaces_no_command_of_a_manifest(shop: Shop) -> None:
    shop.exceptions = {"source": SOURCE | {"command": ["python"]}}
    job = {"containers": [{"name": "main", "image": "shop", "command": ["migrate"]}]}
    shop.objects = [workload("Job", "shop-migrate", job)]
    error = shop.refused()
    assert error.reason == REASON
    assert "Job shop-migrate" in error.seen


@pytest.mark.parametrize(
    ("said", "place"),
    [({"after": ["nobody"]}, "containers.fill.after.0"), ({"of": "nobody"}, "containers.fill.of")],
)
def test_a_name_that_leads_nowhere_is_refused(shop: Shop, said: dict[str, Any], place: str) -> None:
    shop.exceptions = {"containers": {"fill": {"args": ["x"], "why": "x", **said}}}
    error = shop.refused()
    assert error.reason == "CONTRACT_REFERENCE"
    assert place in error.seen


def test_the_same_flag_in_the_manifest_holds_in_both_modes(copy: Path) -> None:
    path = copy / "components/postgres/kubernetes/postgres.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("-c jit=off", "-c jit=off -c fsync=off"), encoding="utf-8")
    platform = load_platform(copy)
    trees = [render_mode(platform, platform.mode(mode), "core").tree for mode in ("compose", "kind")]
    assert b"fsync=off" in trees[0]["compose.yml"]
    assert b"fsync=off" in trees[1]["data_stores/base/postgres/postgres.yaml"]
