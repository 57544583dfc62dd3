"""Two modes compared: what differs is transport, placement, or a failure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import (
    EXCEPTION,
    MEANING,
    PLACEMENT,
    TRANSPORT,
    Difference,
    compare,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import (
    differences,
    document,
    refuse_meaning,
    rendered,
    table,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import Tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import Platform


@pytest.fixture
def two(platform: Platform) -> Platform:
    """The small platform with a realm, in kind and in compose."""
    platform.other("local", "compose", port=9443)
    platform.write()
    (platform.folder / "realm.yml").write_text(
        'realm: shop\nroles: [buyer, seller]\nclients: [{secret: db_password, uris: ["${endpoints.shop.url}/x"], ttl: 5}]\n'
    )
    return platform


def changed(two: Platform, **edits: Any) -> list[Difference]:
    """What differs when files of the compose tree are edited: name (``_`` for /, ``__`` for .) -> (old, new)."""
    loaded = load_platform(two.folder)
    kind, local = (loaded.mode(name) for name in ("kind", "local"))
    tree: Tree = dict(render_mode(loaded, local, "core").tree)
    for name, (old, new) in edits.items():
        file = name.replace("__", ".").replace("_", "/")
        text = tree[file].decode()
        assert old in text
        tree[file] = text.replace(old, new, 1).encode()
    a = rendered(loaded, kind, "core", render_mode(loaded, kind, "core").tree)
    return compare(loaded.contract, loaded.realm, "core", a, rendered(loaded, local, "core", tree))


def meaning(found: list[Difference]) -> dict[str, tuple[str | None, str | None]]:
    return {item.path: (item.a, item.b) for item in found if item.group == MEANING}


def test_groups(two: Platform) -> None:
    two.write()
    found = {item.path: item for item in differences(load_platform(two.folder), "kind", "local", "core")}
    assert found["services.api.settings.APP_URL"] == Difference(
        TRANSPORT, "services.api.settings.APP_URL", "https://www.shop.localhost:8443/start", "https://www.shop.localhost:9443/start"
    )
    assert found["realm.clients.0.uris.0"].group == TRANSPORT
    assert found["services.db.host"].group == TRANSPORT
    assert found["services.db.storage"] == Difference(PLACEMENT, "services.db.storage", "2Gi", None)
    assert found["services.db.publish"] == Difference(EXCEPTION, "services.db.publish", None, "15432", "Tools of this machine.")
    assert found["services.api.source"].b == "src at /src: APP_PATH=/src"
    assert found["target"].group == PLACEMENT
    assert not meaning(list(found.values()))
    assert "services.api.settings.APP_GREETING" not in found


def test_mode_does_not_differ_from_itself(two: Platform) -> None:
    assert differences(load_platform(two.folder), "local", "local", "core") == []


@pytest.mark.parametrize(
    ("file", "old", "new", "path"),
    [
        ("api__env", "APP_WORKERS=2\n", "", "services.api.settings.APP_WORKERS"),
        ("api__env", "APP_WORKERS=2\n", "APP_WORKERS=3\n", "services.api.settings.APP_WORKERS"),
        ("api__env", "APP_WORKERS=2\n", "APP_WORKERS=2\nAPP_NEW=1\n", "services.api.settings.APP_NEW"),
        ("api__env", ":9443/start", ":9444/start", "services.api.settings.APP_URL"),
        ("api__env", ":9443/start", ":8443/start", "services.api.settings.APP_URL"),
        ("api__env", ":9443/start", ":9443/begin", "services.api.settings.APP_URL"),
        ("api__env", "APP_DB_HOST=db", "APP_DB_HOST=api", "services.api.settings.APP_DB_HOST"),
        ("compose__yml", "env_file:\n      - api.env", "env_file: []", "services.api.settings.APP_URL"),
        ("compose__yml", "APP_PATH: /src", "APP_WORKERS: '9'", "services.api.settings.APP_WORKERS"),
        ("compose__yml", "APP_PATH: /src", "APP_PATH: /other", "services.api.settings.APP_PATH"),
        ("compose__yml", "APP_PATH: /src", "APP_PATH: /src\n      FOO: bar", "services.api.settings.FOO"),
        ("contract__json", '"role": "front"', '"role": "back"', "services.api.role"),
        ("contract__json", '"image": "shop"', '"image": "shop2"', "services.api.image"),
        ("contract__json", '"publish": 15432', '"publish": 15433', "services.db.publish"),
        ("contract__json", '"health": "/ready"', '"health": "/live"', "endpoints.shop.health"),
        ("contract__json", '"cookie": "cookie_key"', '"cookie": "db_password"', "services.api.secrets.cookie"),
        ("contract__json", '"type": "key"', '"type": "password"', "secrets.cookie_key.type"),
        ("contract__json", '"http": 8000', '"http": "8000"', "services.api.ports.http"),
        ("contract__json", '"target": "compose"', '"target": "gitops"', "target"),
        ("contract__json", '"mode": "local"', '"mode": "other"', "mode"),
        ("realm__json", '"buyer"', '"bidder"', "realm.roles.0"),
        ("realm__json", '"ttl": 5', '"ttl": 6', "realm.clients.0.ttl"),
        ("realm__json", ":9443/x", ":8443/x", "realm.clients.0.uris.0"),
        ("realm__json", '"realm": "shop"', '"realm": "shop", "extra": true', "realm.extra"),
        ("files_deliver__list", "/to/api-secrets/cookie", "/to/api-secrets/other", "services.api.secrets.cookie"),
    ],
)
def test_changed_rendering_differs_in_meaning(two: Platform, file: str, old: str, new: str, path: str) -> None:
    assert path in meaning(changed(two, **{file: (old, new)}))


def test_unchanged_rendering_does_not(two: Platform) -> None:
    assert meaning(changed(two)) == {}


def test_wrong_on_both_sides_alike_is_found(two: Platform) -> None:
    loaded = load_platform(two.folder)
    sides = []
    for name, file in (("kind", "front/api.env"), ("local", "api.env")):
        tree = dict(render_mode(loaded, loaded.mode(name), "core").tree)
        tree[file] = tree[file].replace(b"APP_WORKERS=2", b"APP_WORKERS=3")
        sides.append(rendered(loaded, loaded.mode(name), "core", tree))
    assert meaning(compare(loaded.contract, loaded.realm, "core", *sides)) == {"services.api.settings.APP_WORKERS": ("3", "3")}


@pytest.mark.parametrize(
    ("file", "old", "new", "path"),
    [
        ("front/kustomization.yaml", b"- api.env", b"- gone.env", "services.api.settings.APP_URL"),
        ("front/kustomization.yaml", b"cookie=", b"biscuit=", "services.api.secrets.cookie"),
        (
            "front/base/api/api.yaml",
            b"envFrom",
            b"env: [{name: APP_WORKERS, value: '7'}]\n          envFrom",
            "services.api.settings.APP_WORKERS",
        ),
        ("front/base/api/api.yaml", b"envFrom", b"env: [{name: EXTRA, value: x}]\n          envFrom", "services.api.settings.EXTRA"),
    ],
)
def test_changed_overlay_differs_in_meaning(two: Platform, file: str, old: bytes, new: bytes, path: str) -> None:
    loaded = load_platform(two.folder)
    kind, local = (loaded.mode(name) for name in ("kind", "local"))
    tree = dict(render_mode(loaded, kind, "core").tree)
    assert old in tree[file]
    tree[file] = tree[file].replace(old, new, 1)
    other = rendered(loaded, local, "core", render_mode(loaded, local, "core").tree)
    assert path in meaning(compare(loaded.contract, loaded.realm, "core", rendered(loaded, kind, "core", tree), other))


@pytest.mark.parametrize("file", ["contract.json", "realm.json", "compose.yml", "api.env"])
@pytest.mark.parametrize("data", [None, b"", b"\xff", b"[1]"])
def test_damaged_tree_is_a_difference_and_no_crash(two: Platform, file: str, data: bytes | None) -> None:
    loaded = load_platform(two.folder)
    kind, local = (loaded.mode(name) for name in ("kind", "local"))
    tree = dict(render_mode(loaded, local, "core").tree)
    tree.pop(file)
    if data is not None:
        tree[file] = data
    a = rendered(loaded, kind, "core", render_mode(loaded, kind, "core").tree)
    assert meaning(compare(loaded.contract, loaded.realm, "core", a, rendered(loaded, local, "core", tree)))


def test_provided_service_differs_in_placement_only(two: Platform) -> None:
    two.others["local"]["placement"]["db"] = {"provided_by": "the cloud", "host": "db.cloud.example"}
    two.write()
    found = differences(load_platform(two.folder), "kind", "local", "core")
    assert meaning(found) == {}
    assert Difference(PLACEMENT, "services.db.provided_by", None, "the cloud") in found


def test_dollar_in_a_text_is_a_dollar(two: Platform) -> None:
    two.platform["endpoints"]["shop"]["purpose"] = "costs ${money}"
    two.platform["secrets"]["cookie_key"]["means"] = "worth ${domain}"
    two.others["local"]["placement"]["db"] = {"provided_by": "a cloud of ${money}", "host": "db.cloud.example"}
    two.write()
    assert meaning(differences(load_platform(two.folder), "kind", "local", "core")) == {}


def test_variable_that_the_manifest_states_is_both_modes(two: Platform) -> None:
    two.edit("db", "db.yaml", "readinessProbe", "env: [{name: PGDATA, value: /data/pg}]\n          readinessProbe")
    assert meaning(changed(two)) == {}
    assert meaning(changed(two, compose__yml=("PGDATA: /data/pg", "PGDATA: /elsewhere"))).keys() == {
        "services.db.settings.PGDATA",
        "containers.db.environment.PGDATA",
    }


FOUND = [
    Difference(TRANSPORT, "domain", "shop.localhost", "shop.example"),
    Difference(MEANING, "services.api.settings.APP_X", "1", None),
]


def test_meaning_fails_with_the_paths() -> None:
    refuse_meaning(FOUND[:1], "a", "b")
    with pytest.raises(ParityError) as caught:
        refuse_meaning(FOUND, "one", "two")
    assert caught.value.reason == "CONTRACT_MEANING_DIFFERS"
    assert caught.value.seen == "services.api.settings.APP_X: 1 in one, - in two"


def test_document() -> None:
    told = json.loads(json.dumps(document(FOUND, "one", "two", "core")))
    assert told["counts"] == {"transport": 1, "placement": 0, "security": 0, "exception": 0, "meaning": 1}
    assert told["differences"]["meaning"] == [{"path": "services.api.settings.APP_X", "a": "1", "b": None}]


class TestTable:
    """What a person sees."""

    def test_is_aligned_and_grouped(self) -> None:
        assert table(FOUND, "one", "two", "core", 100) == [
            "lane core    one             two",
            "",
            "transport",
            "  domain     shop.localhost  shop.example",
            "",
            "meaning",
            "  api.APP_X  1               -",
            "",
            "differences: 1 of transport, 0 of placement, 0 of security, 0 of exception, 1 of meaning",
        ]

    def test_nothing_differs(self) -> None:
        assert (
            table([], "one", "two", "core", 100)[-1]
            == "differences: 0 of transport, 0 of placement, 0 of security, 0 of exception, 0 of meaning"
        )

    def test_long_values_keep_what_tells_them_apart(self) -> None:
        long = "https://a-rather-long-name.of-a-host.{}.example:8443/and/a/rather/long/path/behind/it"
        lines = table([Difference(TRANSPORT, "x", long.format("north"), long.format("south"))], "one", "two", "core", 60)
        assert "north" in lines[3]
        assert "south" in lines[3]
        assert len(lines[3]) <= 60

    def test_whole_of_one_value_is_kept(self) -> None:
        lines = table([Difference(TRANSPORT, "x", "postgres", "postgres" + ".data" * 20)], "one", "two", "core", 60)
        assert lines[3].startswith("  x          postgres                ") or " postgres " in lines[3]
        assert "…" in lines[3]
        assert len(lines[3]) <= 60
