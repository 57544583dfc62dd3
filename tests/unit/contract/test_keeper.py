# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who keeps the secrets of those that ask for them: what that one holds, what they log in with, and in which lanes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import collect
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import differences
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model import keeper
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.options import chosen, of_source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import Rendering, render
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import delivered, identities
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.keep import Origin, keep
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.rotate import rotate
from ansible_collections.gpuaas.parity.tests.unit.contract import reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import Platform

# Each other option makes more of these lanes, and none of them another one for this.
ASKED = ["core.infisical", "async.infisical"]
KEEPER = "infisical-stand-in"
SERVER = "https://infisical-stand-in.gpuaas-data.svc.cluster.local:8443"


def rendering(mode: str, lane: str) -> Rendering:
    return render(reference.PLATFORM.folder, mode, lane)


def asking(lane: str) -> list[str]:
    contract = reference.PLATFORM.contract
    return [name for name in contract.lanes[lane] if contract.services[name].asks]


# -- of the reference platform ------------------------------------------------


@pytest.mark.parametrize("mode", ["kind", "compose"])
@pytest.mark.parametrize("lane", ["core", "async"])
def test_without_it_nobody_knows_of_it(mode: str, lane: str) -> None:
    found = rendering(mode, lane)
    services = found.contract["services"]
    assert KEEPER not in services
    assert not [name for name, service in services.items() if "identity" in service or KEEPER in service["needs"]]
    assert services["api"]["settings"]["GPUAAS_SECRETS_SOURCE"] == "file:///run/secrets/gpuaas"
    if mode == "kind":
        assert not [file for file in found.tree if file.endswith("accounts.yaml")]


@pytest.mark.parametrize("lane", ASKED)
def test_it_holds_what_those_that_ask_read_and_nothing_else(lane: str) -> None:
    services = rendering("kind", lane).contract["services"]
    wanted = {f"{name}.{key}": secret for name in asking(lane) for key, secret in services[name]["secrets"].items()}
    wanted |= {f"{name}.client_secret": keeper.identity_secret(name) for name in asking(lane)}
    assert asking(lane) and services[KEEPER]["secrets"] == wanted


@pytest.mark.parametrize("lane", ASKED)
def test_each_has_a_folder_and_an_account_of_its_own(lane: str) -> None:
    found = rendering("kind", lane)
    services = found.contract["services"]
    assert services["web"]["settings"]["GPUAAS_SECRETS_SOURCE"] == f"infisical+{SERVER}/gpuaas/local/web"
    allowed = set(services[KEEPER]["settings"]["STAND_IN_NAMESPACES"].split(","))
    accounts = {
        (each["metadata"]["namespace"], each["metadata"]["name"])
        for file, data in found.tree.items()
        if file.endswith("accounts.yaml")
        for each in yaml.safe_load_all(data)
    }
    assert accounts == {(services[name]["namespace"], name) for name in asking(lane)}
    assert {namespace for namespace, _name in accounts} <= allowed
    for name in asking(lane):
        assert (services[name]["identity"], KEEPER in services[name]["needs"]) == (SERVER, True)


@pytest.mark.parametrize("lane", ASKED)
def test_no_file_with_a_secret_is_handed_to_who_asks(lane: str) -> None:
    kind = rendering("kind", lane).tree
    generated = {
        item["name"]
        for file, data in kind.items()
        if file.endswith("kustomization.yaml") and file.count("/") == 1
        for item in yaml.safe_load(data).get("secretGenerator", ())
    }
    for name in asking(lane):
        assert f"{name}-secrets" not in generated and f"{name}-identity" in generated
    handed = rendering("compose", lane).tree["files/deliver.list"].decode().splitlines()
    for name in asking(lane):
        mine = {line.split()[-1].rpartition("/")[2] for line in handed if f"secrets/files/{name}/" in line}
        assert mine == {"client_id", "client_secret"}


@pytest.mark.parametrize("lane", ASKED)
def test_in_compose_nobody_starts_before_it(lane: str) -> None:
    services = yaml.safe_load(rendering("compose", lane).tree["compose.yml"])["services"]
    for name in [*asking(lane), "api-seed"]:
        assert services[name]["depends_on"][KEEPER] == {"condition": "service_healthy"}
    without = yaml.safe_load(rendering("compose", "async").tree["compose.yml"])["services"]
    assert not [name for name, service in without.items() if KEEPER in service.get("depends_on", ())]


@pytest.mark.parametrize("lane", ASKED)
def test_a_root_key_in_a_file_is_nowhere_then(lane: str) -> None:
    services = rendering("kind", lane).contract["services"]
    assert services["api"]["settings"]["GPUAAS_KEY_PROVIDER"] == "none"
    assert "root_keyring" not in services["api"]["secrets"]
    assert not [key for key in services[KEEPER]["secrets"] if "root_keyring" in key]


@pytest.mark.parametrize("lane", ASKED)
def test_in_a_cluster_each_may_connect_to_it(lane: str) -> None:
    tree = rendering("kind", lane).tree
    policies = {
        each["metadata"]["name"]: each["spec"]
        for file, data in tree.items()
        if file.endswith("policies.yaml")
        for each in yaml.safe_load_all(data)
        if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] != "default-deny"
    }
    for name in asking(lane):
        assert KEEPER in json.dumps(policies[name]["egress"])
        assert f'"{name}"' in json.dumps(policies[KEEPER]["ingress"])
    assert len(policies[KEEPER]["ingress"]) == len(asking(lane)) + 1  # and its own check


@pytest.mark.parametrize("mode", ["platform_control", "vm-105"])
def test_elsewhere_there_is_no_stand_in(mode: str) -> None:
    with_it, without = rendering(mode, "async.infisical"), rendering(mode, "async")
    assert not [file for file in with_it.tree if "stand" in file]
    for name in asking("async"):
        source = [each.contract["services"][name]["settings"]["GPUAAS_SECRETS_SOURCE"] for each in (with_it, without)]
        assert source[0] == source[1]


def test_in_production_each_has_a_folder_of_its_own() -> None:
    """Three components have a secret by the name of database_password, and none of them that of another."""
    services = rendering("platform_control", "async").contract["services"]
    sources = [services[name]["settings"]["GPUAAS_SECRETS_SOURCE"] for name in asking("async")]
    assert len(set(sources)) == len(sources)


def test_what_differs_for_it_is_told_and_none_of_it_is_meaning() -> None:
    found = differences(reference.PLATFORM, "compose", "kind", "async.infisical")
    groups = {item.path: item.group for item in found}
    assert groups["services.api.identity"] == "placement"
    assert groups["services.api.settings.GPUAAS_SECRETS_SOURCE"] == "transport"
    assert "meaning" not in groups.values()


def test_every_process_of_the_control_plane_that_has_secrets_asks_for_them() -> None:
    """Its image knows how; who reads files all the same would have none with a server, and nobody would ask it."""
    services = reference.PLATFORM.contract.services
    ours = {name for name, service in services.items() if service.image == services["api"].image and not service.keeps_secrets}
    assert {name for name in ours if services[name].secrets} == {name for name in ours if services[name].asks} == set(asking("async"))


def test_each_that_asks_names_its_own_folder_and_is_asked_who_gave_it_its_secrets() -> None:
    """A Job has ended when somebody could ask it."""
    contract = reference.PLATFORM.contract
    every = asking("async")
    for name in every:
        settings = [item.value for item in contract.services[name].settings.values()]
        assert keeper.own_source(name) in settings
        assert "${secrets_source}" not in settings
    checks = collect(reference.PLATFORM, rendering("kind", "async.infisical").contract)
    asked = {check.component for check in checks if check.type == "secrets_provider"}
    assert asked == {name for name in every if contract.services[name].deployed.kind != "Job"}


# -- what is delivered ----------------------------------------------------------


def values_of(contract: dict[str, Any]) -> dict[str, str]:
    return {name: f"value of {name}" for name in contract["secrets"]}


@pytest.mark.parametrize(("mode", "files"), [("kind", {"identity_id"}), ("compose", {"identity_id", "client_secret"})])
def test_who_asks_is_delivered_an_identity(mode: str, files: set[str]) -> None:
    contract = rendering(mode, "async.infisical").contract
    names = delivered.names_of(contract)
    texts = delivered.texts_of(contract, names, values_of(contract))
    for name in asking("async"):
        assert {file.partition("/")[2] for file in texts if file.startswith(f"{name}/")} == files
    assert texts[f"{KEEPER}/web.redis_password"] == "value of redis_web_password"


def test_the_id_changes_with_what_is_read_and_with_nothing_else() -> None:
    contract = rendering("kind", "async.infisical").contract
    before = identities.ids(contract, values_of(contract))
    after = identities.ids(contract, values_of(contract) | {"redis_web_password": "another", "postgres_superuser_password": "x"})
    assert {name for name in before if before[name] != after[name]} == {"web/identity_id"}
    assert len(set(before.values())) == len(before) == len(asking("async"))


def test_the_id_is_the_one_that_the_server_computes() -> None:
    """The same vector as in the control plane's tests of the stand-in."""
    values = {"database_password": "correct horse", "redis_password": "bättery"}
    assert identities.identity_id("staple", values) == "0ab16828-cc52-0277-236a-5290616f3d5a"


def test_a_rotation_is_a_new_id_for_who_reads_it_and_the_value_for_the_keeper(tmp_path: Path) -> None:
    contract = rendering("compose", "async.infisical").contract
    keep(contract, tmp_path, Origin("local"), cluster_exists=False, dry=False)
    files = tmp_path / "secrets" / "files"
    before = {path.relative_to(files).as_posix(): path.read_text() for path in files.rglob("*") if path.is_file()}
    assert not keep(contract, tmp_path, Origin("local"), cluster_exists=True, dry=False).changed
    rotate(contract, tmp_path, "redis_web_password", tier="local", value_file=None, dry=False)
    after = {path.relative_to(files).as_posix(): path.read_text() for path in files.rglob("*") if path.is_file()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"web/identity_id", f"{KEEPER}/web.redis_password", "redis/web_password"}
    assert not keep(contract, tmp_path, Origin("local"), cluster_exists=True, dry=False).changed


def test_the_way_to_it_and_back_loses_nothing(tmp_path: Path) -> None:
    lanes = [rendering("kind", lane).contract for lane in ("async", "async.infisical", "async")]
    secrets = []
    for contract in lanes:
        keep(contract, tmp_path, Origin("local"), cluster_exists=bool(secrets), dry=False)
        secrets.append((tmp_path / "secrets" / "secrets.yml").read_text())
        has = {path.name for path in (tmp_path / "secrets" / "files" / "api").iterdir()}
        assert has == ({"identity_id"} if contract is lanes[1] else {"database_password", "redis_password", "root_keyring"})
    assert len(set(secrets)) == 1


def test_without_it_files_are_delivered_as_ever() -> None:
    contract = rendering("kind", "async").contract
    names = delivered.names_of(contract)
    assert names["api/database_password"] == "postgres_gpuaas_password"
    assert not [file for file in delivered.texts_of(contract, names, values_of(contract)) if "identity" in file]


# -- of any platform --------------------------------------------------------------


@pytest.fixture
def kept(platform: Platform) -> Platform:
    """A platform whose database, an option, keeps the secrets of the API."""
    platform.platform["lanes"] = {"core": ["api"]}
    source = "infisical+https://${services.db.host}:${services.db.port}/shop/local"
    platform.platform["options"] = {"kept": {"components": ["db"], "secrets_source": source, "means": "Secrets of a server"}}
    for name in ("APP_DB_HOST", "APP_DB_PORT"):
        platform.platform["services"]["api"]["settings"].pop(name)
    platform.component_says("db", keeps_secrets={"identities": "origin"})
    platform.platform.setdefault("secrets", {})["origin"] = {"type": "key", "means": "Identities"}
    return platform


def refused(platform: Platform) -> ParityError:
    with pytest.raises(ParityError) as caught:
        load_platform(platform.write().folder).contract  # noqa: B018
        render(platform.folder, "kind", "core.kept")
    return caught.value


def test_what_it_derives_identities_from_is_a_key(kept: Platform) -> None:
    kept.platform["secrets"]["origin"]["type"] = "password"
    error = refused(kept)
    assert error.reason == "CONTRACT_INVALID" and "keeps_secrets" in error.seen


def test_what_it_derives_identities_from_is_there(kept: Platform) -> None:
    kept.component_says("db", keeps_secrets={"identities": "nowhere"})
    error = refused(kept)
    assert error.reason == "CONTRACT_REFERENCE" and "nowhere" in error.seen


@pytest.mark.parametrize(
    ("word", "standing", "found"),
    [("", "core", "core"), ("kept", "core", "core.kept"), ("", "core.kept", "core.kept"), ("files", "core.kept", "core")],
)
def test_it_stays_until_files_are_asked_for(word: str, standing: str, found: str) -> None:
    assert chosen(["traces", "kept"], standing, standing, of_source(["kept"], word)) == found


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ({}, "infisical+https://${services.db.host}:${services.db.port}/shop/local"),
        ({"secrets_source": "infisical+https://vault.example/shop/production"}, "infisical+https://vault.example/shop/production"),
        ({"placement": {"db": {"provided_by": "others"}}}, "file:///run/secrets/shop"),
    ],
)
def test_a_mode_keeps_its_own_and_takes_no_stand_in_that_it_does_not_place(kept: Platform, said: dict[str, Any], source: str) -> None:
    kept.mode |= said
    found = load_platform(kept.write().folder)
    assert found.mode("kind").in_lane(found.contract, "core.kept").secrets_source == source


def test_two_cannot_keep_them(kept: Platform) -> None:
    kept.component_says("api", keeps_secrets={"identities": "origin"})
    error = refused(kept)
    assert (error.reason, "keeps secrets already" in error.seen) == ("CONTRACT_INVALID", True)
