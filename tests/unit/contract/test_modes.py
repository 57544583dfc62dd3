"""The four modes: what each target renders, and what a mode file must not say."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import Rendering, render, render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import swap_tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract import reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import DB, REPOSITORY, Platform

KUBECTL = Path(sys.executable).parent / "kubectl"
MODES = ("compose", "kind", "platform_control", "vm-105")


@pytest.fixture(scope="module", params=reference.LANES)
def own(request: pytest.FixtureRequest) -> dict[str, Rendering]:
    """Each lane of the reference platform, in every mode."""
    platform = reference.PLATFORM
    return {mode: render_mode(platform, platform.mode(mode), request.param) for mode in MODES}


def rendered(platform: Platform, mode: str = "kind") -> Rendering:
    platform.write()
    return render(platform.folder, mode, "core")


def refused(platform: Platform, mode: str = "kind") -> ParityError:
    with pytest.raises(ParityError) as caught:
        rendered(platform, mode)
    return caught.value


def build(root: Path) -> dict[tuple[str, str], dict[str, Any]]:
    done = subprocess.run([str(KUBECTL), "kustomize", str(root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(done.stdout)}


def test_every_mode_file_is_tested() -> None:
    assert sorted(path.stem for path in (REPOSITORY / "platform" / "modes").iterdir()) == sorted(MODES)


@pytest.mark.parametrize("mode", MODES)
def test_services_get_the_same_keys_in_every_mode(own: dict[str, Rendering], mode: str) -> None:
    def keys(name: str) -> dict[str, Any]:
        # A security mode decides about some secrets: test_security.
        held_in = {key: service.held_in for key, service in reference.PLATFORM.contract.services.items()}

        def secrets(key: str, item: dict[str, Any]) -> dict[str, str]:
            return {one: secret for one, secret in item["secrets"].items() if one not in held_in[key]}

        services = own[name].contract["services"]
        return {key: (sorted(item["settings"]), secrets(key, item), item["role"], item.get("image")) for key, item in services.items()}

    assert keys(mode) == keys("kind")


def test_targets(own: dict[str, Rendering]) -> None:
    assert {mode: item.contract["target"] for mode, item in own.items()} == {
        "compose": "compose",
        "kind": "kubernetes",
        "platform_control": "gitops",
        "vm-105": "gitops",
    }
    assert own["compose"].contract["project"] == "gpuaas-local"
    assert "project" not in own["kind"].contract


def test_one_issuer_and_one_domain_in_each_mode(own: dict[str, Rendering]) -> None:
    for item in own.values():
        services = item.contract["services"]
        issuer = services["api"]["settings"]["GPUAAS_OIDC_ISSUER"]
        assert issuer == services["web"]["settings"]["GPUAAS_OIDC_ISSUER"]
        assert issuer == services["keycloak"]["settings"]["KC_HOSTNAME"] + "/realms/gpuaas"


@pytest.mark.parametrize("mode", ["vm-105", "platform_control"])
def test_rendering_for_gitops_stands_alone(own: dict[str, Rendering], mode: str, tmp_path: Path) -> None:
    tree = own[mode].tree
    swap_tree(tmp_path / "tree", tree)
    roles = sorted(name.partition("/")[0] for name in tree if name.count("/") == 1 and name.endswith("/kustomization.yaml"))
    assert roles == sorted({item["role"] for item in own[mode].contract["services"].values() if "provided_by" not in item})
    built = {role: build(tmp_path / "tree" / role) for role in roles}
    for objects in built.values():
        assert not [name for kind, name in objects if kind == "Secret" or name.startswith("gpuaas-ca")]
    api = built["control_plane"]["Deployment", "api"]
    volumes = {item["name"]: item for item in api["spec"]["template"]["spec"]["volumes"]}
    assert volumes["ca"]["configMap"]["name"] == "gpuaas-ca"
    assert api["spec"]["template"]["spec"]["containers"][0]["image"] == "control-plane"
    assert api["spec"]["replicas"] == own[mode].contract["services"]["api"]["replicas"]
    ingress = built["ingress"]["Ingress", "web"]
    assert ingress["metadata"]["namespace"] == "gpuaas-ingress"
    assert ingress["spec"]["tls"] == [{"hosts": [own[mode].contract["endpoints"]["web"]["host"]], "secretName": "web-tls"}]


def mounted(objects: dict[tuple[str, str], dict[str, Any]], kind: str, name: str) -> tuple[dict[str, Any], str]:
    """The volume ``secrets`` of a pod, and where its first container has it."""
    pod = objects[kind, name]["spec"]["template"]["spec"]
    volume = next(item for item in pod["volumes"] if item["name"] == "secrets")
    return volume, next(item["mountPath"] for item in pod["containers"][0]["volumeMounts"] if item["name"] == "secrets")


def test_secrets_as_files_are_delivered_by_name(own: dict[str, Rendering], tmp_path: Path) -> None:
    swap_tree(tmp_path / "tree", own["vm-105"].tree)
    objects = build(tmp_path / "tree" / "control_plane")
    for kind, name in (("Deployment", "api"), ("Job", "api-migrate"), ("Deployment", "web")):
        volume, at = mounted(objects, kind, name)
        assert (volume["secret"]["secretName"], at) == (f"{name}-secrets", "/run/secrets/gpuaas")


def test_service_that_asks_a_server_gets_an_identity_and_no_secrets(own: dict[str, Rendering], tmp_path: Path) -> None:
    swap_tree(tmp_path / "tree", own["platform_control"].tree)
    objects = build(tmp_path / "tree" / "control_plane")
    for kind, name in (("Deployment", "api"), ("Job", "api-migrate"), ("Deployment", "web")):
        volume, at = mounted(objects, kind, name)
        assert at == "/run/secrets/infisical"
        assert "secret" not in volume
        identity, token = volume["projected"]["sources"]
        assert identity == {"secret": {"name": f"{name}-identity"}}
        account = objects[kind, name]["spec"]["template"]["spec"]["serviceAccountName"]
        assert account == name and objects["ServiceAccount", name]["automountServiceAccountToken"] is False
        assert token["serviceAccountToken"]["audience"] == "https://secrets.platform-control.internal"
        assert token["serviceAccountToken"]["path"] == "token"
    postgres = build(tmp_path / "tree" / "data_stores")["StatefulSet", "postgres"]
    assert "postgres-secrets" in json.dumps(postgres)


def test_entry_point_on_a_low_port(own: dict[str, Rendering], tmp_path: Path) -> None:
    swap_tree(tmp_path / "tree", own["vm-105"].tree)
    objects = build(tmp_path / "tree" / "ingress")
    service = objects["Service", "traefik"]["spec"]
    assert service["type"] == "LoadBalancer"
    assert service["ports"] == [{"name": "https", "port": 443, "targetPort": "https"}]
    pod = objects["Deployment", "traefik"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["ports"][0] == {"name": "https", "containerPort": 443}
    assert pod["securityContext"]["sysctls"] == [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    assert pod["securityContext"]["runAsNonRoot"] is True


def test_entry_point_of_kind_is_what_its_manifest_says(own: dict[str, Rendering]) -> None:
    assert b"patches" not in own["kind"].tree["ingress/kustomization.yaml"]


def test_provided_service_is_rendered_and_not_deployed(own: dict[str, Rendering]) -> None:
    for mode in ("compose", "vm-105", "platform_control"):
        coredns = own[mode].contract["services"]["coredns"]
        assert coredns["provided_by"]
        assert coredns["settings"]["PLATFORM_DOMAIN"] == own[mode].contract["domain"]
        assert not [name for name in own[mode].tree if name.startswith("cluster/")]
    assert "provided_by" not in own["kind"].contract["services"]["coredns"]


def test_placement_reaches_the_resolved_contract(own: dict[str, Rendering]) -> None:
    services = own["compose"].contract["services"]
    assert (services["traefik"]["publish"], services["postgres"]["publish"]) == (9443, 15432)
    assert services["api"]["source"] == "control_plane/src/gpuaas"
    assert "namespace" not in services["api"]


def test_no_secret_and_no_path_of_this_machine_is_rendered(own: dict[str, Rendering]) -> None:
    for item in own.values():
        for data in item.tree.values():
            assert str(REPOSITORY).encode() not in data
            assert b"PRIVATE KEY" not in data


class TestPortOfTheEntryPoint:
    """A service whose port is an endpoint's: no literal is right in every mode."""

    def follow(self, platform: Platform, port: int, **changes: str) -> None:
        platform.component_says("api", ports={"http": "${public_port}"})
        platform.mode["port"] = port
        for old, new in changes.items():
            platform.edit("api", "api.yaml", {"target": "targetPort: http"}[old], new)

    def overlay(self, platform: Platform) -> str:
        return rendered(platform).tree["front/kustomization.yaml"].decode()

    def test_manifest_that_says_the_port_is_left_alone(self, platform: Platform) -> None:
        self.follow(platform, 8000)
        assert "containerPort" not in self.overlay(platform)

    def test_other_port_is_set_in_service_and_container(self, platform: Platform) -> None:
        self.follow(platform, 9000)
        text = self.overlay(platform)
        assert '"path": "/spec/ports/0/port", "value": 9000' in text
        assert '"path": "/spec/template/spec/containers/0/ports/0/containerPort", "value": 9000' in text
        assert "sysctls" not in text

    def test_low_port_needs_a_sysctl(self, platform: Platform) -> None:
        self.follow(platform, 80)
        assert '"path": "/spec/template/spec/securityContext", "value": {"sysctls"' in self.overlay(platform)

    def test_service_must_lead_to_the_port_by_name(self, platform: Platform) -> None:
        self.follow(platform, 9000, target="targetPort: 8000")
        error = refused(platform)
        assert error.reason == "CONTRACT_MANIFEST_MISMATCH"
        assert "targetPort is the name of one container port" in error.seen

    def test_component_must_have_no_other_port(self, platform: Platform) -> None:
        self.follow(platform, 9000)
        platform.component_says("api", ports={"http": "${public_port}", "more": 9}, main_port="http")
        error = refused(platform)
        assert error.reason == "CONTRACT_MANIFEST_MISMATCH"
        assert "must have one port" in error.seen


Change = Callable[[Platform], Any]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda p: p.mode.update(settings={"APP_URL": "x"}), "settings.APP_URL (line "),
        (lambda p: p.mode.update(secrets={"db_password": {"type": "key"}}), "secrets.db_password"),
        (lambda p: p.mode.update(lanes={"core": ["api"]}), "platform/modes/kind.yml: lanes"),
        (lambda p: p.mode.update(APP_URL="x"), "platform/modes/kind.yml: APP_URL"),
        (lambda p: p.mode.update(endpoints={"shop": {"port": 1}}), "platform/modes/kind.yml: endpoints"),
        (lambda p: p.mode["placement"]["api"].update(settings={"APP_URL": {"value": "x"}}), "placement.api.settings.APP_URL"),
        (lambda p: p.mode["placement"]["api"].update(APP_WORKERS=5), "placement.api.APP_WORKERS"),
        (lambda p: p.mode["placement"]["api"].update(image="other"), "placement.api.image"),
        (lambda p: p.mode["placement"]["api"].update(secrets={}), "placement.api.secrets"),
        (lambda p: p.mode["placement"]["api"].update(ports={"http": 1}), "placement.api.ports"),
        (lambda p: p.mode["placement"]["api"].update(needs=[]), "placement.api.needs"),
        (lambda p: p.mode["placement"]["api"].update(type="string"), "placement.api.type"),
        (lambda p: p.mode.update(audiences=["x"]), "platform/modes/kind.yml: audiences"),
        (lambda p: p.mode.update(realm={"roles": ["x"]}), "platform/modes/kind.yml: realm"),
    ],
)
def test_mode_that_says_what_the_contract_says(platform: Platform, change: Change, place: str) -> None:
    change(platform)
    error = refused(platform)
    assert error.reason == "MODE_OVERRIDES_CONTRACT"
    assert place in error.seen
    assert "component.yml" in error.do
    assert len(error.details["problems"]) == 1


def test_component_may_have_any_name(platform: Platform) -> None:
    platform.platform["services"]["value"] = copy.deepcopy(platform.platform["services"]["db"])
    platform.platform["lanes"]["core"].append("value")
    platform.mode["placement"]["value"] = {"storage": "3Gi"}
    platform.manifest("value", "value.yaml", DB.replace("name: db", "name: value").replace("Name: db", "Name: value"))
    platform.edit("value", "value.yaml", "configMap: {name: value-prepare}", "emptyDir: {}")
    service = rendered(platform).contract["services"]["value"]
    assert (service["host"], service["storage"]) == ("value.shop-data.svc.cluster.local", "3Gi")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda p: p.mode.pop("target"), "lacks target"),
        (lambda p: p.mode.update(target="swarm"), "must be one of compose, kubernetes, gitops"),
        (lambda p: p.mode.update(project="x"), "project (line"),
        (lambda p: p.mode.update(ingress_objects=True), "platform/modes/kind.yml: ingress_objects"),
        (lambda p: p.mode.update(secrets_source=""), "platform/modes/kind.yml: secrets_source"),
        (lambda p: p.mode.update(secrets_source="/run/secrets"), "platform/modes/kind.yml: secrets_source"),
        (lambda p: p.mode.update(domain=""), "platform/modes/kind.yml: domain"),
        (lambda p: p.mode.update(domain=None), "platform/modes/kind.yml: domain"),
        (lambda p: p.mode.update(port="8443"), "platform/modes/kind.yml: port (line "),
        (lambda p: p.mode.update(port=0), "platform/modes/kind.yml: port (line "),
        (lambda p: p.mode["placement"]["db"].update(publish=5), "placement.db.publish"),
        (lambda p: p.mode["placement"]["db"].update(host="elsewhere"), "placement.db.host"),
        (lambda p: p.mode["placement"].update(db={"provided_by": "x", "host": ""}), "placement.db.host"),
        (lambda p: p.mode["placement"].update(db={"provided_by": "x", "replicas": 1}), "placement.db.replicas"),
        (lambda p: p.mode["placement"].update(db={"provided_by": ""}), "placement.db.provided_by"),
        (lambda p: p.mode["placement"].update(db=None), "placement.db"),
        (lambda p: p.mode["placement"]["api"].update(storage_class="fast"), "placement.api.storage_class (line "),
        (
            lambda p: (p.mode["placement"]["db"].pop("storage_class"), p.mode["placement"]["db"].update(replicas=2)),
            "placement.db.replicas (line ",
        ),
        (
            lambda p: (p.component_says("db", ports={}), p.mode["placement"].update(db={"provided_by": "x", "host": "elsewhere"})),
            "placement.db.host (line ",
        ),
        (lambda p: p.edit("api", "api.yaml", "kind: Deployment", "kind: Job"), "has replicas, and its manifest is a Job"),
    ],
)
def test_mode_of_the_wrong_shape(platform: Platform, change: Change, place: str) -> None:
    change(platform)
    error = refused(platform)
    assert error.reason == "MODE_INVALID"
    assert place in error.seen


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda m: m.pop("project"), "lacks project"),
        (lambda m: m["placement"].update(api={"namespace": "x"}), "placement.api.namespace"),
        (lambda m: m["placement"].update(api={"replicas": 2}), "placement.api.replicas"),
        (lambda m: m["placement"].update(api={"publish": 15432}), "placement.api.publish"),
        (lambda m: m["placement"].update(api={"source": "src"}), "placement.api.source"),
        (lambda m: m["placement"].update(db={"provided_by": "the cloud"}), "placement.db (line "),
    ],
)
def test_compose_mode_of_the_wrong_shape(platform: Platform, change: Callable[[dict[str, Any]], Any], place: str) -> None:
    change(platform.other("local", "compose"))
    error = refused(platform, "local")
    assert error.reason == "MODE_INVALID"
    assert place in error.seen


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda e: e["api"]["source"].update(folder="../elsewhere"), "api/compose.yml: source.folder"),
        (lambda e: e["api"]["source"].update(folder="/abs"), "api/compose.yml: source.folder"),
        (lambda e: e["api"].update(publish={"port": 15432, "why": "x"}), "db/compose.yml: publish.port (line 2): 15432 is api's already"),
        (
            lambda e: e.update(api={"publish": {"port": "${services.db.port}", "why": "x"}}, db={"publish": {"port": 5432, "why": "x"}}),
            "api's",
        ),
    ],
)
def test_exceptions_of_the_wrong_shape(platform: Platform, change: Callable[[dict[str, Any]], Any], place: str) -> None:
    platform.other("local", "compose")
    change(platform.exceptions)
    error = refused(platform, "local")
    assert error.reason == "CONTRACT_INVALID"
    assert place in error.seen


@pytest.mark.parametrize(
    ("ports", "cause"),
    [({}, "is published, and has no port"), ({"postgres": 5432, "more": 9}, "has several ports, and no main_port says which one")],
)
def test_port_to_publish_must_be_there(platform: Platform, ports: dict[str, int], cause: str) -> None:
    platform.component_says("db", ports=ports)
    platform.other("local", "compose")
    error = refused(platform, "local")
    assert error.reason == "CONTRACT_INVALID"
    assert "platform/components/db/compose.yml: publish (line " in error.seen
    assert cause in error.seen


def test_main_port_is_the_one_that_is_published(platform: Platform) -> None:
    platform.edit("db", "db.yaml", "ports: [{port: 5432}]", "ports: [{name: a, port: 9}, {name: b, port: 5432}]")
    platform.edit("db", "db.yaml", "ports: [{containerPort: 5432}]", "ports: [{containerPort: 9}, {containerPort: 5432}]")
    platform.component_says("db", ports={"a": 9, "b": 5432}, main_port="b")
    platform.other("local", "compose")
    (published,) = yaml.safe_load(rendered(platform, "local").tree["compose.yml"])["services"]["db"]["ports"]
    assert (published["published"], published["target"]) == ("15432", 5432)
    assert rendered(platform).contract["services"]["api"]["settings"]["APP_DB_PORT"] == "5432"


def test_two_modes_that_disagree_on_a_type(platform: Platform) -> None:
    platform.other("vm", "gitops", port="8443")
    rendered(platform)
    error = refused(platform, "vm")
    assert error.reason == "MODE_INVALID"
    assert "platform/modes/vm.yml: port (line " in error.seen
    assert "must be the public port" in error.seen


def test_value_that_only_one_mode_makes_wrong_is_told_with_the_mode(platform: Platform) -> None:
    platform.setting("APP_SOURCE", type="path", value="${secrets_source}")
    platform.mode["secrets_source"] = "https://secrets.example"
    error = refused(platform)
    assert error.reason == "CONTRACT_TYPE"
    assert "platform/components/api/component.yml: settings.APP_SOURCE.value (line " in error.seen
    assert "platform/modes/kind.yml: secrets_source (line " in error.seen


def test_default_that_is_wrong_is_told_with_its_own_place(platform: Platform) -> None:
    platform.setting("APP_SOURCE", type="path", value="${secrets_source}")
    assert "platform/platform.yml: defaults.secrets_source (line " in refused(platform).seen


@pytest.mark.parametrize("key", ["domain", "secrets_source", "ca_file"])
def test_mode_says_otherwise_than_the_platform(platform: Platform, key: str) -> None:
    said = {"domain": "shop.example", "secrets_source": "file:///run/other", "ca_file": "/etc/other.crt"}
    settings = {"domain": "APP_URL", "secrets_source": "APP_SECRETS_SOURCE", "ca_file": "APP_CA"}
    before = rendered(platform).contract["services"]["api"]["settings"]
    platform.mode[key] = said[key]
    after = rendered(platform).contract["services"]["api"]["settings"]
    assert {name for name in after if after[name] != before[name]} == {settings[key]}
    assert said[key] in after[settings[key]]


def test_two_services_at_one_address(platform: Platform) -> None:
    platform.component_says("db", ports={"postgres": 8000})
    platform.mode["placement"]["db"] = {"provided_by": "x", "host": "api.shop-front.svc.cluster.local"}
    error = refused(platform)
    assert error.reason == "MODE_INVALID"
    assert "platform/modes/kind.yml: placement.db (line " in error.seen


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("x.${services.gone.host}", "CONTRACT_REFERENCE"),
        ("x.${services.db.host}", "CONTRACT_CYCLE"),
        ("x.${", "CONTRACT_REFERENCE"),
        ("x.${}", "CONTRACT_REFERENCE"),
    ],
)
def test_reference_in_a_mode_that_leads_nowhere_or_back(platform: Platform, host: str, reason: str) -> None:
    platform.mode["placement"]["db"] = {"provided_by": "x", "host": host}
    error = refused(platform)
    assert error.reason == reason
    assert "platform/modes/kind.yml: placement.db.host (line " in error.seen


def test_published_port_must_be_a_port(platform: Platform) -> None:
    platform.other("local", "compose")
    platform.exceptions["db"]["publish"]["port"] = "${domain}"
    error = refused(platform, "local")
    assert error.reason == "CONTRACT_TYPE"
    assert "platform/components/db/compose.yml: publish.port (line " in error.seen


class TestBooleanByReference:
    """A switch that is a matter of transport."""

    @pytest.mark.parametrize(("mode", "said"), [("kind", "true"), ("vm", "true"), ("local", "false")])
    def test_follows_the_target(self, platform: Platform, mode: str, said: str) -> None:
        platform.setting("APP_INGRESS", type="boolean", value="${ingress_objects}")
        platform.other("vm", "gitops")
        platform.other("local", "compose")
        assert rendered(platform, mode).contract["services"]["api"]["settings"]["APP_INGRESS"] == said

    @pytest.mark.parametrize("value", ["true", "${domain}", "x${ingress_objects}", "${ingress_objects}${ingress_objects}"])
    def test_other_texts_are_refused(self, platform: Platform, value: str) -> None:
        platform.setting("APP_INGRESS", type="boolean", value=value)
        assert refused(platform).reason == "CONTRACT_TYPE"


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("file:///run/secrets/shop", True),
        ("infisical+https://secrets.example/project/environment/path", True),
        ("file://host/run", False),
        ("file://", False),
        ("file:///run/../x", False),
        ("file:///run/a b", False),
        ("https://user:password@secrets.example", False),
    ],
)
def test_source_of_secrets(platform: Platform, url: str, holds: bool) -> None:
    platform.mode["secrets_source"] = url
    if holds:
        assert rendered(platform).contract["services"]["api"]["settings"]["APP_SECRETS_SOURCE"] == url
    else:
        error = refused(platform)
        assert error.reason == "CONTRACT_TYPE"
        assert "platform/modes/kind.yml: secrets_source (line " in error.seen
        assert "password" not in error.seen.replace("user and password", "")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (
            lambda p: p.platform["services"]["api"]["secrets"]["database"].update(value="hunter2"),
            "components/api/component.yml: secrets.database.value (line ",
        ),
        (
            lambda p: p.platform["services"]["api"]["secrets"].update(x={"value": "hunter2", "type": "string"}),
            "components/api/component.yml: secrets.x.value (line ",
        ),
        (
            lambda p: p.platform["services"]["api"]["secrets"]["database"].update(secret="${domain}"),
            "components/api/component.yml: secrets.database.secret (line ",
        ),
        (
            lambda p: p.platform["services"]["api"]["secrets"].update(app_url={"secret": "db_password"}),
            "components/api/component.yml: secrets.app_url (line ",
        ),
        (lambda p: p.platform["secrets"]["db_password"].update(value="hunter2"), "platform/platform.yml: secrets.db_password.value (line "),
        (
            lambda p: p.platform["secrets"].update(app_url={"type": "password", "means": "x"}),
            "platform/platform.yml: secrets.app_url (line ",
        ),
    ],
)
def test_setting_in_the_place_of_a_secret(platform: Platform, change: Change, place: str) -> None:
    change(platform)
    error = refused(platform)
    assert error.reason == "CONTRACT_SETTING_IN_SECRET"
    assert place in error.seen
    assert "hunter2" not in f"{error} {error.details}"


def test_compose_beside_the_others(platform: Platform) -> None:
    platform.other("local", "compose")
    contract = json.loads(rendered(platform, "local").tree["contract.json"])
    assert (contract["target"], contract["project"]) == ("compose", "shop")
    assert contract["services"]["db"]["publish"] == 15432
