"""The rendered project of the reference platform: plain, the same everywhere, hardened, and as its manifests say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose import Paths
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_files import env_file
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract import reference

from .conftest import CHECKOUT

Object = dict[str, Any]
JOBS = {"api-migrate", "api-seed", "postgres-snapshot", "temporal-migrate"}
PATHS = Paths("../../.parity/compose", "../..")


def rendered(folder: Path, lane: str = "core") -> dict[str, bytes]:
    platform = load_platform(folder)
    return render_mode(platform, platform.mode("compose"), lane, PATHS).tree


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The reference platform, to be edited."""
    return Path(shutil.copytree(CHECKOUT / "platform", tmp_path / "platform"))


def manifests() -> dict[str, Object]:
    """Pod specs of the cluster's workloads by name."""
    found = {}
    for path in (CHECKOUT / "platform/components").glob("*/kubernetes/*.yaml"):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if document and document.get("kind") in ("Deployment", "StatefulSet", "Job"):
                found[document["metadata"]["name"]] = document["spec"]["template"]["spec"]
    return found


def test_it_is_hardened(project: Object) -> None:
    for name, service in project["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["pull_policy"] == "never", name
        assert "privileged" not in service, name


def test_only_who_hands_out_files_is_root_and_has_capabilities(project: Object) -> None:
    powerful = {name for name, service in project["services"].items() if service.get("cap_add") or str(service["user"]).startswith("0")}
    assert powerful == {"secrets"}
    assert project["services"]["secrets"]["network_mode"] == "none"


def test_what_runs_on_has_a_health_check_and_what_ends_has_none(project: Object) -> None:
    assert {name for name, service in project["services"].items() if "healthcheck" not in service} == JOBS
    for name in JOBS:
        assert project["services"][name]["restart"] == "no"


def test_everything_waits_for_readiness_and_up_can_await_every_job(project: Object) -> None:
    awaited = {}
    for name, service in project["services"].items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in JOBS else "service_healthy"
            assert how == {"condition": wanted}, (name, needed)
            awaited[needed] = how
    # `up --wait` takes a job that ended for a failure unless somebody waits for its end.
    assert set(awaited) >= JOBS


def test_ports_are_on_loopback_and_the_modes(project: Object) -> None:
    ports = {name: port for name, service in project["services"].items() for port in service.get("ports", ())}
    assert {name: (port["host_ip"], port["published"]) for name, port in ports.items()} == {
        "traefik": ("127.0.0.1", "9443"),
        "postgres": ("127.0.0.1", "15432"),
        "redis": ("127.0.0.1", "16379"),
    }


def test_the_ingress_has_the_public_names_inside(project: Object) -> None:
    aliases = project["services"]["traefik"]["networks"]["default"]["aliases"]
    assert aliases == [f"{name}.gpuaas.localhost" for name in ("api", "auth-admin", "auth", "temporal", "traces", "web")]


def test_a_route_leads_where_the_ingress_object_leads_and_nowhere_else(tree: dict[str, bytes], lane: str) -> None:
    """Of Keycloak's host for users no rule takes what is the administrators'."""
    has = load_platform(CHECKOUT / "platform").contract.lanes[lane]
    more = [endpoint for endpoint, component in (("temporal", "temporal-ui"), ("traces", "traces")) if component in has]
    larger = {endpoint: f"Host(`{endpoint}.gpuaas.localhost`) && (PathPrefix(`/`))" for endpoint in more}
    routers = yaml.safe_load(tree["files/traefik-routes/routes.yml"])["http"]["routers"]
    assert {name: router["rule"] for name, router in routers.items()} == {
        "api": "Host(`api.gpuaas.localhost`) && (PathPrefix(`/`))",
        "auth": "Host(`auth.gpuaas.localhost`) && (PathPrefix(`/realms/gpuaas/`) || PathPrefix(`/resources/`))",
        "auth-admin": "Host(`auth-admin.gpuaas.localhost`) && "
        "(Path(`/`) || PathPrefix(`/admin`) || PathPrefix(`/realms/master/`) || PathPrefix(`/resources/`))",
        "web": "Host(`web.gpuaas.localhost`) && (PathPrefix(`/`))",
    } | larger


def test_every_service_carries_its_lanes(project: Object) -> None:
    platform = load_platform(CHECKOUT / "platform")
    provided = {name for name, said in platform.mode("compose").exceptions.items() if "provided_by" in said}
    for name, members in platform.contract.lanes.items():
        ours = {service for service, definition in project["services"].items() if name in definition["profiles"]}
        assert ours >= set(members) - provided | {"secrets"}


def test_paths_are_relative_and_bytes_do_not_depend_on_the_place(tree: dict[str, bytes], copy: Path, lane: str) -> None:
    assert rendered(copy, lane) == tree
    text = b"\n".join(tree.values()).decode()
    assert str(CHECKOUT) not in text
    services = yaml.safe_load(tree["compose.yml"])["services"].values()
    binds = [mount["source"] for service in services for mount in service["volumes"] if mount["type"] == "bind"]
    assert binds
    assert all(source.startswith(("./", "../")) for source in binds)


def test_the_source_is_mounted_read_only_and_nothing_else_of_the_checkout(project: Object) -> None:
    for name in ("api", "web", "api-migrate", "api-seed"):
        (mount,) = [item for item in project["services"][name]["volumes"] if item["type"] == "bind"]
        assert (mount["source"], mount["target"], mount["read_only"]) == ("../../control_plane/src/gpuaas", "/src/gpuaas", True)
    assert project["services"]["api"]["command"] == ["api", "--reload"]


def test_without_a_source_the_images_own_code_runs(copy: Path) -> None:
    for name in ("api", "api-migrate", "web"):
        path = copy / "components" / name / "compose.yml"
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        del said["source"]
        path.unlink()
        if said:
            path.write_text(yaml.safe_dump(said), encoding="utf-8")
    services = yaml.safe_load(rendered(copy)["compose.yml"])["services"]
    assert services["api"]["command"] == ["api"]
    assert "entrypoint" not in services["api-migrate"]
    assert "environment" not in services["api"]


def test_a_container_shares_what_it_says_and_no_other_data(project: Object) -> None:
    data = {
        name: {mount["source"] for mount in project["services"][name]["volumes"] if mount["source"] in ("postgres-data", "postgres-socket")}
        for name in ("postgres", "postgres-snapshot")
    }
    assert data == {"postgres": {"postgres-data", "postgres-socket"}, "postgres-snapshot": {"postgres-socket"}}


def test_what_a_container_cannot_share_is_refused(copy: Path) -> None:
    path = copy / "components/api/compose.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("/run/postgresql", "/tmp"), encoding="utf-8")
    with pytest.raises(ParityError, match=r"CONTRACT_REFERENCE.*postgres has no volume at /tmp"):
        rendered(copy)


def test_source_of_an_extended_platform_lies_beside_that_one(tmp_path: Path) -> None:
    own = tmp_path / "team/platform"
    own.mkdir(parents=True)
    (own / "platform.yml").write_text(f"platform: 1\nextends: {CHECKOUT}/platform\n", encoding="utf-8")
    services = yaml.safe_load(rendered(own)["compose.yml"])["services"]
    (mount,) = [item for item in services["api"]["volumes"] if item["type"] == "bind"]
    # From the rendered directory, deploy/local, and so through the team's folder.
    assert (own.parent / "deploy/local" / mount["source"]).resolve() == CHECKOUT / "control_plane/src/gpuaas"
    contract = load_platform(own).contract
    assert (own.parent / contract.services["api"].reset["schema"]).resolve() == CHECKOUT / "control_plane/src/gpuaas/migrations"


def test_who_hands_out_files_sees_neither_the_cas_key_nor_the_users_secrets(project: Object) -> None:
    sources = [mount["source"] for mount in project["services"]["secrets"]["volumes"] if mount["type"] == "bind"]
    assert not any(source.endswith(("ca.key", "secrets.yml", "/tls", "/secrets", "/files/")) for source in sources)
    assert "../../.parity/compose/tls/ca.crt" in sources


def test_each_file_goes_to_its_owner_alone(tree: dict[str, bytes], project: Object) -> None:
    for line in tree["files/deliver.list"].decode().splitlines():
        owner, mode, origin, to = line.split()
        volume = to.split("/")[2]
        users = {service["user"] for name, service in project["services"].items() if name != "secrets" and _mounts(service, volume)}
        assert users == {owner}, line
        assert mode == ("0400" if "/secrets/" in origin or re.search(r"/tls/[\w-]+/", origin) else "0444"), line


def _mounts(service: Object, volume: str) -> bool:
    return any(mount["type"] == "volume" and mount["source"] == volume for mount in service.get("volumes", ()))


def _of_other_lanes(project: Object, lane: str) -> set[str]:
    """Volumes that only services of other lanes mount."""
    ours = {m["source"] for s in project["services"].values() if lane in s["profiles"] for m in s.get("volumes", ())}
    return set(project["volumes"]) - ours


def test_data_volumes_are_never_swept(tree: dict[str, bytes], project: Object, lane: str) -> None:
    swept = {mount["target"] for mount in project["services"]["secrets"]["volumes"] if mount["target"].startswith("/to/")}
    assert not any("data" in target for target in swept)
    kept = {line.split()[1].removeprefix("/own/") for line in tree["files/own.list"].decode().splitlines()}
    assert kept >= {"postgres-data", "postgres-socket"}
    others = _of_other_lanes(project, lane)
    assert {name for name in kept if name.endswith("-data")} == {name for name in project["volumes"] if name.endswith("-data")} - others


@pytest.mark.parametrize("name", ["api", "web", "keycloak", "postgres", "redis", "traefik", "api-migrate"])
def test_it_runs_as_in_a_cluster(project: Object, name: str) -> None:
    pod, service = manifests()[name], project["services"][name]
    security = pod["securityContext"]
    assert service["user"] == f"{security['runAsUser']}:{security['runAsGroup']}"
    (main,) = pod["containers"]
    wanted = main["resources"]["limits"]["memory"].replace("Mi", "m").replace("Gi", "g")
    assert service["mem_limit"] == wanted
    assert service["image"] == f"gpuaas-parity/{main['image']}"
    assert service["stop_grace_period"] == f"{pod.get('terminationGracePeriodSeconds', 30)}s"
    if name in ("keycloak", "postgres", "redis", "traefik"):
        assert [word.replace("$$", "$") for word in service["entrypoint"]] == main["command"]
        assert [word.replace("$$", "$") for word in service.get("command", [])] == main.get("args", [])


def test_no_container_asks_for_a_secret_in_its_environment(tree: dict[str, bytes], project: Object) -> None:
    for name, service in project["services"].items():
        assert not {key for key in service.get("environment", {}) if re.search("PASSWORD|SECRET", key)}, name


def test_keycloak_starts_with_the_database_and_waits_for_nothing_else(project: Object) -> None:
    assert set(project["services"]["keycloak"]["depends_on"]) == {"secrets", "postgres"}
    assert set(project["services"]["postgres"]["depends_on"]) == {"secrets"}


def test_the_names_are_those_that_stand(lane: str, project: Object) -> None:
    platform = reference.PLATFORM
    provided = {name for name, said in platform.mode("compose").exceptions.items() if "provided_by" in said}
    assert set(project["services"]) == {"secrets", *set(platform.contract.services) - provided, *JOBS}
    holding = {name: service for name, service in platform.contract.services.items() if service.secrets and name not in provided}
    # Who asks a server has what it logs in with, in place of secrets.
    asks = {name for name, service in holding.items() if service.asks and set(lane.split(".")) & set(platform.contract.sources)}
    volumes = {f"{name}-{'identity' if name in asks else 'secrets'}" for name in holding}
    assert volumes >= {"postgres-secrets"}
    assert {name for name in project["volumes"] if name.endswith(("-secrets", "-identity"))} == volumes
    assert set(project["volumes"]) >= {"api-ca", "web-ca", "keycloak-import", "postgres-prepare", "traefik-certificates", "postgres-data"}
    assert project["networks"] == {"default": {"name": "gpuaas-local"}}


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("plain-1.0:/x@y", "A=plain-1.0:/x@y\n"),
        ("two words", "A='two words'\n"),
        ("cost $HOME # all", "A='cost $HOME # all'\n"),
        ("it's $5", 'A="it\'s \\$5"\n'),
        ("a'b\"c\\d", 'A="a\'b\\"c\\\\d"\n'),
    ],
)
def test_a_value_stays_what_it_is(value: str, line: str) -> None:
    assert env_file({"A": value}).decode() == line
