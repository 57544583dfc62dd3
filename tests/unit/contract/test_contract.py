"""Each thing that can be wrong with a contract or a mode has a reason and a place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import load_contract, load_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import resolve
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import REPOSITORY, Platform


def resolved(platform: Platform, lane: str = "core", mode: str = "kind") -> dict[str, Any]:
    platform.write()
    return resolve(load_contract(platform.folder), load_mode(platform.folder, mode), lane)


def refused(platform: Platform, **kwargs: str) -> ParityError:
    with pytest.raises(ParityError) as caught:
        resolved(platform, **kwargs)
    return caught.value


def test_values_are_resolved_and_rendered_as_text(platform: Platform) -> None:
    service = resolved(platform)["services"]["api"]
    assert service["settings"] == {
        "APP_URL": "https://www.shop.localhost:8443/start",
        "APP_DB_HOST": "db.shop-data.svc.cluster.local",
        "APP_DB_PORT": "5432",
        "APP_DEBUG": "false",
        "APP_WORKERS": "2",
        "APP_TIMEOUT": "1m30s",
        "APP_SECRETS_SOURCE": "file:///run/secrets/shop",
        "APP_CA": "/etc/shop/ca.crt",
        "APP_GREETING": "grüezi = # hello",
    }
    assert service["secrets"] == {"database": "db_password", "cookie": "cookie_key"}
    assert (service["namespace"], service["replicas"], service["port"]) == ("shop-front", 2, 8000)


def test_endpoint(platform: Platform) -> None:
    assert resolved(platform)["endpoints"]["shop"] == {
        "service": "api",
        "host": "www.shop.localhost",
        "port": 8443,
        "scheme": "https",
        "url": "https://www.shop.localhost:8443",
        "health": "/ready",
        "purpose": "the shop",
    }


def test_default_port_is_left_out_of_the_url(platform: Platform) -> None:
    platform.mode["transport"]["endpoints"]["shop"]["port"] = 443
    assert resolved(platform)["endpoints"]["shop"]["url"] == "https://www.shop.localhost"


def test_port_of_a_service_may_follow_an_endpoint(platform: Platform) -> None:
    platform.platform["services"]["api"]["port"] = "${endpoints.shop.port}"
    assert resolved(platform)["services"]["api"]["port"] == 8443


def test_lane_has_its_services_and_every_secret(platform: Platform) -> None:
    platform.platform["services"]["api"]["settings"] = {}
    platform.platform["lanes"] = {"core": ["db"], "more": ["db", "api"]}
    core = resolved(platform)
    assert set(core["services"]) == {"db"}
    assert core["endpoints"] == {}
    assert set(core["secrets"]) == {"db_password", "cookie_key"}
    assert set(resolved(platform, lane="more")["services"]) == {"db", "api"}


def test_nothing_is_taken_from_the_environment(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/leaked")
    platform.setting("APP_HOME", type="string", value="$HOME and ~")
    assert resolved(platform)["services"]["api"]["settings"]["APP_HOME"] == "$HOME and ~"


def test_own_contract_resolves() -> None:
    directory = REPOSITORY / "contract"
    document = resolve(load_contract(directory), load_mode(directory, "kind"), "core")
    assert document["endpoints"]["auth"]["url"] == document["services"]["keycloak"]["settings"]["KC_HOSTNAME"]


Change = Callable[[Platform], Any]


@pytest.mark.parametrize(
    ("change", "reason", "place"),
    [
        (lambda p: p.platform.pop("lanes"), "CONTRACT_INVALID", "the document"),
        (lambda p: p.platform.update(extra=1), "CONTRACT_INVALID", "contract/platform.yml: extra"),
        (lambda p: p.platform.update(contract=2), "CONTRACT_INVALID", "contract/platform.yml: contract"),
        (lambda p: p.platform.update(services=[]), "CONTRACT_INVALID", "must be a mapping, is a list"),
        (lambda p: p.platform["services"]["api"].pop("port"), "CONTRACT_INVALID", "services.api (line 1"),
        (lambda p: p.platform["services"]["api"].update(port=0), "CONTRACT_INVALID", "services.api.port"),
        (lambda p: p.platform["services"].update(Bad=p.platform["services"]["db"]), "CONTRACT_INVALID", "services.Bad"),
        (lambda p: p.setting("APP_URL", type="uri"), "CONTRACT_INVALID", "services.api.settings.APP_URL.type"),
        (lambda p: p.setting("APP_URL", value=None), "CONTRACT_INVALID", "services.api.settings.APP_URL.value"),
        (lambda p: p.setting("APP_URL", value=1.5), "CONTRACT_INVALID", "services.api.settings.APP_URL.value"),
        (lambda p: p.setting("app", type="string", value="x"), "CONTRACT_INVALID", "services.api.settings.app"),
        (
            lambda p: p.setting("APP_URL\n", type="string", value="x"),
            "CONTRACT_INVALID",
            "services.api.settings.APP_URL",
        ),
        (
            lambda p: p.platform["secrets"]["db_password"].update(kind="pin"),
            "CONTRACT_INVALID",
            "secrets.db_password.kind",
        ),
        (lambda p: p.platform["lanes"]["core"].append("db"), "CONTRACT_INVALID", "lanes.core"),
        (lambda p: p.platform["lanes"].update(core=["db"]), "CONTRACT_INVALID", "services.api"),
        (
            lambda p: p.platform["lanes"].update(x=["db"], core=["api", "db"], y=["api"]),
            "CONTRACT_REFERENCE",
            "needs db",
        ),
        (
            lambda p: p.platform["endpoints"].update(two=p.platform["endpoints"]["shop"]),
            "CONTRACT_INVALID",
            "endpoints",
        ),
        (lambda p: p.platform["lanes"]["core"].append("gone"), "CONTRACT_REFERENCE", "lanes.core.2"),
        (
            lambda p: p.platform["endpoints"]["shop"].update(service="gone"),
            "CONTRACT_REFERENCE",
            "endpoints.shop.service",
        ),
        (
            lambda p: p.platform["services"]["api"]["secrets"]["database"].update(secret="gone"),
            "CONTRACT_REFERENCE",
            "services.api.secrets.database",
        ),
        (
            lambda p: p.setting("APP_URL", value="${services.gone.host}"),
            "CONTRACT_REFERENCE",
            "services.api.settings.APP_URL.value",
        ),
        (
            lambda p: p.setting("APP_URL", value="${endpoints.shop.path}"),
            "CONTRACT_REFERENCE",
            "endpoints.shop has: host, port",
        ),
        (lambda p: p.setting("APP_URL", value="${HOME}"), "CONTRACT_REFERENCE", "APP_URL.value"),
        (lambda p: p.setting("APP_URL", value="${domain"), "CONTRACT_REFERENCE", "not closed"),
        (lambda p: p.setting("APP_URL", value="${}"), "CONTRACT_REFERENCE", "APP_URL.value"),
        (
            lambda p: p.platform["services"]["db"].update(port="${services.db.port}"),
            "CONTRACT_CYCLE",
            "services.db.port -> services.db.port",
        ),
        (
            lambda p: (
                p.platform["services"]["db"].update(port="${services.api.port}"),
                p.platform["services"]["api"].update(port="${services.db.port}"),
            ),
            "CONTRACT_CYCLE",
            "services.api.port -> services.db.port -> services.api.port",
        ),
        (lambda p: p.platform["services"]["db"].update(port="${domain}"), "CONTRACT_TYPE", "services.db.port"),
        (lambda p: p.mode.pop("placement"), "MODE_INVALID", "contract/modes/kind.yml: the document"),
        (lambda p: p.mode.update(services={}), "MODE_INVALID", "contract/modes/kind.yml: services"),
        (lambda p: p.mode.update(mode="other"), "MODE_INVALID", "contract/modes/kind.yml: mode"),
        (lambda p: p.mode["placement"].pop("db"), "MODE_INVALID", "lacks db"),
        (lambda p: p.mode["placement"].update(x={"namespace": "x", "replicas": 1}), "MODE_INVALID", "placement.x"),
        (lambda p: p.mode["placement"]["db"].pop("storage"), "MODE_INVALID", "storage with storage_class, or with node_path"),
        (lambda p: p.mode["placement"]["db"].update(node_path="/srv/db"), "MODE_INVALID", "storage with storage_class, or with node_path"),
        (lambda p: p.mode["placement"]["db"].update(cpu=1), "MODE_INVALID", "placement.db.cpu"),
        (lambda p: p.mode["transport"]["services"].pop("db"), "MODE_INVALID", "transport.services"),
        (lambda p: p.mode["transport"]["endpoints"].pop("shop"), "MODE_INVALID", "transport.endpoints"),
        (
            lambda p: p.mode["transport"]["endpoints"]["shop"].update(scheme="http"),
            "MODE_INVALID",
            "endpoints.shop.scheme",
        ),
        (lambda p: p.mode["transport"]["endpoints"]["shop"].update(port="x"), "MODE_INVALID", "endpoints.shop.port"),
        (lambda p: p.mode["transport"].update(domain="Not A Domain"), "MODE_INVALID", "transport.domain"),
        (
            lambda p: p.mode["transport"]["services"]["db"].update(host="a b"),
            "CONTRACT_TYPE",
            "transport.services.db.host",
        ),
        (lambda p: p.mode["transport"].update(ca_file="/etc/../ca"), "CONTRACT_TYPE", "transport.ca_file"),
        (
            lambda p: p.mode["transport"].update(secrets_source="${secrets_source}/x"),
            "CONTRACT_CYCLE",
            "transport.secrets_source",
        ),
    ],
)
def test_refused(platform: Platform, change: Change, reason: str, place: str) -> None:
    change(platform)
    error = refused(platform)
    assert error.reason == reason
    assert place in error.seen


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", ""),
        ("string", " x"),
        ("string", "a\nb"),
        ("string", 5),
        ("string", True),
        ("integer", "5"),
        ("integer", True),
        ("integer", "${domain}"),
        ("boolean", "true"),
        ("boolean", 1),
        ("port", 0),
        ("port", 65536),
        ("port", "${domain}"),
        ("url", "shop.localhost"),
        ("url", "https://"),
        ("url", "https://a b/"),
        ("url", "https://host:99999/"),
        ("hostname", "-a"),
        ("hostname", "Upper"),
        ("hostname", "a..b"),
        ("path", "relative"),
        ("path", "/a/../b"),
        ("path", "/a/"),
        ("duration", "30"),
        ("duration", "s"),
    ],
)
def test_value_that_is_not_of_its_type(platform: Platform, kind: str, value: Any) -> None:
    platform.setting("APP_X", type=kind, value=value)
    error = refused(platform)
    assert error.reason == "CONTRACT_TYPE"
    assert "contract/platform.yml: services.api.settings.APP_X.value (line " in error.seen


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("APP_PASSWORD", "string", "hunter2"),
        ("DB_SECRET_VALUE", "string", "hunter2-${domain}"),
        ("API_TOKEN", "string", "hunter2"),
        ("SIGNING_KEY", "path", "/hunter2"),
        ("APP_DSN", "url", "postgres://user:hunter2@db.example/x"),
        ("APP_DSN", "string", "postgres://user:hunter2@db.example/x"),
    ],
)
def test_secret_written_out_is_refused_without_telling_it(platform: Platform, name: str, kind: str, value: str) -> None:
    platform.setting(name, type=kind, value=value)
    error = refused(platform)
    assert error.reason == "CONTRACT_SECRET_IN_SETTING"
    assert f"services.api.settings.{name}" in error.seen
    assert "hunter2" not in f"{error} {error.details}"


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("PASSWORD_FILE", "path", "${ca_file}"),
        ("TOKEN_URL", "url", "${endpoints.shop.url}/token"),
        ("TOKEN_SECONDS", "integer", 30),
        ("TOKEN_LIFE", "duration", "30s"),
        ("SECRETS_STRICT", "boolean", True),
        ("KEYBOARD", "string", "qwertz"),
    ],
)
def test_what_only_sounds_like_a_secret(platform: Platform, name: str, kind: str, value: Any) -> None:
    platform.setting(name, type=kind, value=value)
    assert name in resolved(platform)["services"]["api"]["settings"]


def test_defect_outside_the_lane_is_found(platform: Platform) -> None:
    platform.platform["lanes"] = {"core": ["db"], "more": ["db", "api"]}
    platform.setting("APP_WORKERS", value="two")
    assert refused(platform).reason == "CONTRACT_TYPE"


def test_service_that_needs_one_outside_its_lane(platform: Platform) -> None:
    platform.platform["lanes"] = {"core": ["api"], "more": ["db", "api"]}
    error = refused(platform)
    assert error.reason == "CONTRACT_REFERENCE"
    assert "needs db, which lane core does not have" in error.seen


def test_lanes_must_nest(platform: Platform) -> None:
    platform.platform["services"]["api"]["settings"] = {}
    platform.platform["lanes"] = {"core": ["api"], "other": ["db"]}
    error = refused(platform)
    assert error.reason == "CONTRACT_INVALID"
    assert "lacks api of the smaller lane core" in error.seen


def test_all_problems_are_told_at_once(platform: Platform) -> None:
    platform.setting("APP_DEBUG", value="no")
    platform.setting("APP_WORKERS", value="many")
    error = refused(platform)
    assert error.seen.count("\n") == 1
    assert len(error.details["problems"]) == 2


def test_unknown_lane(platform: Platform) -> None:
    error = refused(platform, lane="async")
    assert error.reason == "CONTRACT_UNKNOWN_LANE"
    assert "known are: core" in error.seen


@pytest.mark.parametrize("mode", ["vm-105", "../modes/kind", "", "Kind", "/etc/passwd"])
def test_unknown_mode(platform: Platform, mode: str) -> None:
    error = refused(platform, mode=mode)
    assert error.reason == "CONTRACT_UNKNOWN_MODE"
    assert "known are: kind" in error.seen


def test_duplicate_key(platform: Platform) -> None:
    platform.write()
    path = platform.folder / "platform.yml"
    path.write_text(path.read_text() + "secrets: {}\n")
    with pytest.raises(ParityError) as caught:
        load_contract(platform.folder)
    assert caught.value.reason == "CONTRACT_DUPLICATE_KEY"
    assert caught.value.seen.startswith("contract/platform.yml: secrets (line ")


@pytest.mark.parametrize(("file", "reason"), [("platform.yml", "CONTRACT_INVALID"), ("modes/kind.yml", "MODE_INVALID")])
@pytest.mark.parametrize("text", ["a: [", "", "a: !!python/name:os.system x\n", "- a\n"])
def test_broken_file(platform: Platform, file: str, reason: str, text: str) -> None:
    platform.write()
    (platform.folder / file).write_text(text)
    with pytest.raises(ParityError) as caught:
        resolve(load_contract(platform.folder), load_mode(platform.folder, "kind"), "core")
    assert caught.value.reason == reason
    assert f"contract/{file}" in caught.value.seen


def _missing(path: Path) -> None:
    path.unlink()


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize("damage", [_missing, _directory, _binary])
@pytest.mark.parametrize("file", ["platform.yml", "contract.schema.json"])
def test_unreadable_file(platform: Platform, damage: Callable[[Path], None], file: str) -> None:
    platform.write()
    damage(platform.folder / file)
    with pytest.raises(ParityError) as caught:
        load_contract(platform.folder)
    assert caught.value.reason == "CONTRACT_UNREADABLE"


@pytest.mark.parametrize("text", ["{", "[]"])
def test_broken_schema(platform: Platform, text: str) -> None:
    platform.write()
    (platform.folder / "contract.schema.json").write_text(text)
    with pytest.raises(ParityError) as caught:
        load_contract(platform.folder)
    assert caught.value.reason == "CONTRACT_UNREADABLE"
