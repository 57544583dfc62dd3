"""Each thing that can be wrong with a contract or a mode has a reason and a place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import of_lane, resolve
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract import reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import Platform


def resolved(platform: Platform, lane: str = "core", mode: str = "kind") -> dict[str, Any]:
    platform.write()
    return read(platform, lane, mode)


def read(platform: Platform, lane: str = "core", mode: str = "kind") -> dict[str, Any]:
    found = load_platform(platform.folder)
    return of_lane(resolve(found.contract, found.mode(mode)), found.contract, lane)


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
    assert (service["namespace"], service["replicas"], service["ports"]) == ("shop-front", 2, {"http": 8000})
    assert (service["workload"], service["needs"]) == ("deployment/api", [])


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
    platform.mode["port"] = 443
    assert resolved(platform)["endpoints"]["shop"]["url"] == "https://www.shop.localhost"


@pytest.mark.parametrize("reference", ["${public_port}", "${endpoints.shop.port}"])
def test_port_of_a_component_may_follow_the_mode(platform: Platform, reference: str) -> None:
    platform.platform["services"]["api"]["ports"] = {"http": reference}
    document = resolved(platform)
    assert document["services"]["api"]["ports"] == {"http": document["public_port"]} == {"http": 8443}


def test_lane_has_its_components_and_every_secret(platform: Platform) -> None:
    platform.platform["lanes"] = {"core": ["db"], "more": {"extends": "core", "components": ["api"]}}
    core = resolved(platform)
    assert set(core["services"]) == {"db"}
    assert core["endpoints"] == {}
    assert set(core["secrets"]) == {"db_password", "cookie_key"}
    assert set(resolved(platform, lane="more")["services"]) == {"db", "api"}


def test_nothing_is_taken_from_the_environment(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/leaked")
    platform.setting("APP_HOME", type="string", value="$HOME and ~")
    assert resolved(platform)["services"]["api"]["settings"]["APP_HOME"] == "$HOME and ~"


@pytest.mark.parametrize("lane", reference.LANES)
def test_own_contract_resolves(lane: str) -> None:
    contract = reference.PLATFORM.contract
    document = of_lane(resolve(contract, reference.PLATFORM.mode("kind")), contract, lane)
    assert document["endpoints"]["auth"]["url"] == document["services"]["keycloak"]["settings"]["KC_HOSTNAME"]


Change = Callable[[Platform], Any]


@pytest.mark.parametrize(
    ("change", "reason", "place"),
    [
        (lambda p: p.platform.update(lanes={}), "CONTRACT_INVALID", "platform/platform.yml: lanes"),
        (lambda p: p.platform.update(defaults=None), "CONTRACT_INVALID", "platform/platform.yml: defaults"),
        (lambda p: p.platform.update(extra=1), "CONTRACT_INVALID", "platform/platform.yml: extra"),
        (lambda p: p.platform.update(platform=2), "CONTRACT_INVALID", "platform/platform.yml: platform"),
        (lambda p: p.platform.update(domain="Not A Domain"), "CONTRACT_INVALID", "platform/platform.yml: domain"),
        (lambda p: p.platform.update(secrets=[]), "CONTRACT_INVALID", "must be a mapping, is a list"),
        (lambda p: p.component_says("api", ports=[8000]), "CONTRACT_INVALID", "must be a mapping, is a list"),
        (
            lambda p: p.platform["services"]["api"].pop("role"),
            "CONTRACT_INVALID",
            "components/api/component.yml: the document (line 1): lacks role",
        ),
        (lambda p: p.component_says("api", ports={"http": 0}), "CONTRACT_INVALID", "components/api/component.yml: ports.http"),
        (lambda p: p.component_says("api", ports={"HTTP": 80}), "CONTRACT_INVALID", "components/api/component.yml: ports.HTTP"),
        (lambda p: p.component_says("api", replicas=3), "CONTRACT_INVALID", "components/api/component.yml: replicas"),
        (lambda p: p.component_says("api", namespace="x"), "CONTRACT_INVALID", "components/api/component.yml: namespace"),
        (lambda p: p.platform["services"].update(Bad=p.platform["services"]["db"]), "CONTRACT_INVALID", "platform/components/Bad"),
        (
            lambda p: p.platform["services"].update(operator=p.platform["services"]["db"]),
            "CONTRACT_INVALID",
            "platform/components/operator",
        ),
        (lambda p: p.setting("APP_URL", type="uri"), "CONTRACT_INVALID", "settings.APP_URL.type"),
        (lambda p: p.setting("APP_URL", value=None), "CONTRACT_INVALID", "settings.APP_URL.value"),
        (lambda p: p.setting("APP_URL", value=1.5), "CONTRACT_INVALID", "settings.APP_URL.value"),
        (lambda p: p.setting("app", type="string", value="x"), "CONTRACT_INVALID", "settings.app"),
        (lambda p: p.setting("APP_URL\n", type="string", value="x"), "CONTRACT_INVALID", "settings.APP_URL"),
        (lambda p: p.platform["secrets"]["db_password"].update(type="pin"), "CONTRACT_INVALID", "secrets.db_password.type"),
        (lambda p: p.platform["secrets"]["db_password"].update(readers=["api"]), "CONTRACT_INVALID", "secrets.db_password.readers"),
        (lambda p: p.platform["lanes"]["core"].append("db"), "CONTRACT_INVALID", "lanes.core.components"),
        (
            lambda p: p.platform["lanes"].update(core=["db"]),
            "CONTRACT_INVALID",
            "components/api/component.yml: the document (line 1): is in no lane",
        ),
        (lambda p: p.platform["lanes"].update(x=["db"], core=["api", "db"], y=["api"]), "CONTRACT_REFERENCE", "needs db"),
        (
            lambda p: p.platform["endpoints"].update(two=p.platform["endpoints"]["shop"]),
            "CONTRACT_INVALID",
            "components/api/component.yml: endpoints.two (line ",
        ),
        (
            lambda p: p.component_says("api", ports={}),
            "CONTRACT_INVALID",
            "components/api/component.yml: endpoints.shop (line ",
        ),
        (
            lambda p: p.component_says("api", ports={"http": 8000, "more": 9}),
            "CONTRACT_INVALID",
            "components/api/component.yml: endpoints.shop (line ",
        ),
        (
            lambda p: p.component_says("api", main_port="gone"),
            "CONTRACT_REFERENCE",
            "components/api/component.yml: main_port (line ",
        ),
        (
            lambda p: p.component_says("db", endpoints={"shop": {"health": "/", "purpose": "x"}}),
            "CONTRACT_INVALID",
            "components/db/component.yml: endpoints.shop (line ",
        ),
        (
            lambda p: p.platform["services"]["api"]["secrets"]["database"].update(secret="gone"),
            "CONTRACT_REFERENCE",
            "components/api/component.yml: secrets.database.secret (line ",
        ),
        (
            lambda p: p.platform["services"]["api"]["secrets"]["database"].update(type="password", means="x"),
            "CONTRACT_INVALID",
            "components/api/component.yml: secrets.database (line ",
        ),
        (
            lambda p: p.platform["services"]["api"]["secrets"]["database"].update(type="password"),
            "CONTRACT_INVALID",
            "has type, and lacks means",
        ),
        (
            lambda p: p.platform["services"]["api"]["secrets"]["database"].update(type="string", means="x"),
            "CONTRACT_INVALID",
            "components/api/component.yml: secrets.database.type (line ",
        ),
        (lambda p: p.setting("APP_URL", value="${services.gone.host}"), "CONTRACT_REFERENCE", "settings.APP_URL.value"),
        (lambda p: p.setting("APP_URL", value="${endpoints.shop.path}"), "CONTRACT_REFERENCE", "endpoints.shop has: host, port"),
        (lambda p: p.setting("APP_URL", value="${HOME}"), "CONTRACT_REFERENCE", "APP_URL.value"),
        (lambda p: p.setting("APP_URL", value="${domain"), "CONTRACT_REFERENCE", "not closed"),
        (lambda p: p.setting("APP_URL", value="${}"), "CONTRACT_REFERENCE", "APP_URL.value"),
        (
            lambda p: p.component_says("db", ports={"postgres": "${services.db.port}"}),
            "CONTRACT_CYCLE",
            "services.db.port -> services.db.port",
        ),
        (
            lambda p: (
                p.component_says("db", ports={"postgres": "${services.api.port}"}),
                p.component_says("api", ports={"http": "${services.db.port}"}),
            ),
            "CONTRACT_CYCLE",
            "services.db.port -> services.api.port -> services.db.port",
        ),
        (lambda p: p.component_says("db", ports={"postgres": "${domain}"}), "CONTRACT_TYPE", "components/db/component.yml: ports.postgres"),
        (lambda p: p.mode.pop("port"), "MODE_INVALID", "platform/modes/kind.yml: the document"),
        (lambda p: p.mode.update(services={}), "MODE_INVALID", "platform/modes/kind.yml: services"),
        (lambda p: p.mode.update(mode="other"), "MODE_INVALID", "platform/modes/kind.yml: mode"),
        (lambda p: p.mode["placement"].update(x={"replicas": 1}), "MODE_INVALID", "platform/modes/kind.yml: placement.x (line "),
        (lambda p: p.mode["placement"]["db"].update(node_path="/srv/db"), "MODE_INVALID", "placement.db.node_path"),
        (lambda p: p.mode["placement"]["db"].update(namespace="x"), "MODE_INVALID", "placement.db.namespace"),
        (lambda p: p.mode["placement"]["db"].update(cpu=1), "MODE_INVALID", "placement.db.cpu"),
        (lambda p: p.mode["placement"]["api"].update(storage="1Gi"), "MODE_INVALID", "placement.api"),
        (lambda p: p.mode.update(port="x"), "MODE_INVALID", "platform/modes/kind.yml: port"),
        (lambda p: p.mode.update(domain="Not A Domain"), "MODE_INVALID", "platform/modes/kind.yml: domain"),
        (
            lambda p: p.mode["placement"].update(db={"provided_by": "x", "host": "a b"}),
            "CONTRACT_TYPE",
            "platform/modes/kind.yml: placement.db.host",
        ),
        (lambda p: p.mode.update(ca_file="/etc/../ca"), "CONTRACT_TYPE", "platform/modes/kind.yml: ca_file"),
        (lambda p: p.mode.update(secrets_source="x://${secrets_source}/x"), "CONTRACT_CYCLE", "secrets_source -> secrets_source"),
        (lambda p: p.default("ca_file", "/etc/../ca"), "CONTRACT_TYPE", "platform/platform.yml: defaults.ca_file"),
        (lambda p: p.default("lane", "gone"), "CONTRACT_REFERENCE", "platform/platform.yml: defaults.lane"),
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
    assert "platform/components/api/component.yml: settings.APP_X.value (line " in error.seen


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
    assert f"platform/components/api/component.yml: settings.{name} (line " in error.seen
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
    platform.platform["lanes"] = {"core": ["db"], "more": {"extends": "core", "components": ["api"]}}
    platform.setting("APP_WORKERS", value="two")
    assert refused(platform).reason == "CONTRACT_TYPE"


def test_service_that_needs_one_outside_its_lane(platform: Platform) -> None:
    platform.platform["lanes"] = {"core": ["api"], "more": {"extends": "core", "components": ["db"]}}
    error = refused(platform)
    assert error.reason == "CONTRACT_REFERENCE"
    assert "needs db, which lane core does not have" in error.seen


def test_larger_lane_has_the_smaller_one_first(platform: Platform) -> None:
    platform.platform["lanes"] = {"more": {"extends": "core", "components": ["api"]}, "core": ["db"]}
    platform.write()
    assert load_platform(platform.folder).contract.lanes == {"more": ["db", "api"], "core": ["db"]}


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
        load_platform(platform.folder)
    assert caught.value.reason == "CONTRACT_DUPLICATE_KEY"
    assert "platform/platform.yml: secrets (line " in caught.value.seen


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("platform.yml", "CONTRACT_INVALID"),
        ("components/api/component.yml", "CONTRACT_INVALID"),
        ("modes/kind.yml", "MODE_INVALID"),
    ],
)
@pytest.mark.parametrize("text", ["a: [", "", "a: !!python/name:os.system x\n", "- a\n"])
def test_broken_file(platform: Platform, file: str, reason: str, text: str) -> None:
    platform.write()
    (platform.folder / file).write_text(text)
    with pytest.raises(ParityError) as caught:
        read(platform)
    assert caught.value.reason == reason
    assert f"platform/{file}" in caught.value.seen


def _missing(path: Path) -> None:
    path.unlink()


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    ("file", "damage", "reason"),
    [
        ("platform.yml", _missing, "PLATFORM_MISSING"),
        ("platform.yml", _directory, "PLATFORM_MISSING"),
        ("platform.yml", _binary, "CONTRACT_UNREADABLE"),
        ("components/api/component.yml", _missing, "CONTRACT_UNREADABLE"),
        ("components/api/component.yml", _directory, "CONTRACT_UNREADABLE"),
        ("components/api/component.yml", _binary, "CONTRACT_UNREADABLE"),
        ("modes/kind.yml", _directory, "CONTRACT_UNREADABLE"),
        ("modes/kind.yml", _binary, "CONTRACT_UNREADABLE"),
    ],
)
def test_unreadable_file(platform: Platform, file: str, damage: Callable[[Path], None], reason: str) -> None:
    platform.write()
    damage(platform.folder / file)
    with pytest.raises(ParityError) as caught:
        read(platform)
    assert caught.value.reason == reason
    assert file in caught.value.seen
