"""A component's certificates in every target: their names, the Secret in a cluster, the files in Compose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import differences
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

from .shop import Shop

SECRET = {"secret": {"secretName": "shop-server-tls"}}
HOST, IN_COMPOSE = "shop.shop.svc.cluster.local", "shop.shop.internal"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.component["certificates"] = {"server": {"usage": "server"}}
    found.mounts(tls=SECRET)
    return found


def resolved(shop: Shop, mode: str) -> Any:
    return json.loads(shop.tree(mode)["contract.json"])["services"]["shop"]["certificates"]


def test_names_are_the_host_of_the_mode_and_what_is_said(shop: Shop) -> None:
    assert resolved(shop, "kind") == {"server": {"usage": "server", "names": [HOST]}}
    assert resolved(shop, "compose") == {"server": {"usage": "server", "names": [IN_COMPOSE]}}
    shop.component["endpoints"] = {"www": {"health": "/", "purpose": "x"}}
    shop.component["certificates"]["server"]["names"] = ["${endpoints.www.host}"]
    assert resolved(shop, "compose")["server"]["names"] == [IN_COMPOSE, "www.shop.localhost"]


def test_in_compose_a_server_answers_to_its_private_name_and_whoever_shows_none_to_its_own(shop: Shop) -> None:
    assert json.loads(shop.tree()["contract.json"])["services"]["shop"]["host"] == IN_COMPOSE
    assert shop.services()["shop"]["networks"] == {"default": {"aliases": [IN_COMPOSE]}}
    shop.component["certificates"]["server"]["usage"] = "client"
    assert json.loads(shop.tree()["contract.json"])["services"]["shop"]["host"] == "shop"
    assert "networks" not in shop.services()["shop"]


def test_a_client_has_no_names(shop: Shop) -> None:
    shop.component["certificates"]["server"]["usage"] = "client"
    assert resolved(shop, "kind") == {"server": {"usage": "client"}}


def test_a_cluster_of_our_own_gets_a_secret_with_the_ca(shop: Shop) -> None:
    (secret,) = yaml.safe_load(shop.tree("kind")["front/kustomization.yaml"])["secretGenerator"]
    state = secret["files"][0].removeprefix("ca.crt=").removesuffix("/tls/ca.crt")
    assert secret == {
        "name": "shop-server-tls",
        "namespace": "shop",
        "type": "kubernetes.io/tls",
        "files": [
            f"ca.crt={state}/tls/ca.crt",
            f"tls.crt={state}/tls/shop-server/tls.crt",
            f"tls.key={state}/tls/shop-server/tls.key",
        ],
    }


def test_where_others_deliver_it_is_read_by_name(shop: Shop) -> None:
    assert resolved(shop, "shared")["server"]["names"] == [HOST]
    assert "secretGenerator" not in yaml.safe_load(shop.tree("shared")["front/kustomization.yaml"])


def test_compose_hands_over_the_same_files_the_key_for_the_user_alone(shop: Shop) -> None:
    assert shop.tree()["files/deliver.list"].decode().splitlines() == [
        "7:8 0444 /from/state/tls/ca.crt /to/shop-server-tls/ca.crt",
        "7:8 0400 /from/state/tls/shop-server/tls.crt /to/shop-server-tls/tls.crt",
        "7:8 0400 /from/state/tls/shop-server/tls.key /to/shop-server-tls/tls.key",
    ]
    assert shop.services()["shop"]["volumes"] == [{"type": "volume", "source": "shop-server-tls", "target": "/tls", "read_only": True}]


def test_modes_differ_in_the_names_of_a_server_and_not_in_meaning(shop: Shop) -> None:
    found = differences(shop.write(), "compose", "kind", "core")
    rows = {item.path.rpartition(".")[2]: (item.group, item.a, item.b) for item in found if "certificates" in item.path}
    assert {group for group, _a, _b in rows.values()} == {"placement"}
    assert not [item for item in found if item.group == "meaning"]


@pytest.mark.parametrize("change", ["another usage", "no mount", "half a mount"])
def test_what_does_not_fit_is_refused(shop: Shop, change: str) -> None:
    if change == "another usage":
        shop.component["certificates"]["server"]["usage"] = "peer"
        wanted = ("CONTRACT_INVALID", "certificates.server.usage")
    elif change == "no mount":
        shop.mounts()
        wanted = ("CONTRACT_MANIFEST_MISMATCH", "does not read tls.crt, tls.key of Secret shop-server-tls")
    else:
        shop.mounts(tls={"secret": SECRET["secret"] | {"items": [{"key": "tls.crt", "path": "tls.crt"}]}})
        wanted = ("CONTRACT_MANIFEST_MISMATCH", "does not read tls.key of Secret shop-server-tls")
    assert (error := refused(shop)).reason == wanted[0]
    assert wanted[1] in error.seen


@pytest.mark.parametrize(
    ("names", "reason", "sentence"),
    [
        (["not a host"], "CONTRACT_TYPE", "must be a host name"),
        (["example.com"], "CONTRACT_INVALID", "neither below shop.localhost nor a host of shop"),
        (["shop"], "CONTRACT_INVALID", "neither below shop.localhost nor a host of shop"),
        (["${endpoints.none.host}"], "CONTRACT_REFERENCE", "leads nowhere"),
    ],
)
def test_a_name_that_cannot_be_is_refused_by_its_place(shop: Shop, names: list[str], reason: str, sentence: str) -> None:
    shop.component["certificates"]["server"]["names"] = names
    error = refused(shop)
    assert error.reason == reason
    assert "certificates.server.names" in error.seen
    assert sentence in error.seen


def test_a_client_with_names_is_refused(shop: Shop) -> None:
    shop.component["certificates"]["server"] = {"usage": "client", "names": ["shop.localhost"]}
    assert "a client's certificate names its component" in refused(shop).seen


def test_two_certificates_in_one_place_are_refused(shop: Shop) -> None:
    shop.component["endpoints"] = {"shop-server": {"health": "/", "purpose": "x"}}
    assert "is that of endpoint shop-server too" in refused(shop).seen


def refused(shop: Shop) -> ParityError:
    with pytest.raises(ParityError) as caught:
        shop.tree("kind")
    return caught.value
