"""The types that look at a Compose project, against containers as they should be and each way they may not be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.rollout import Rollout
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.configuration import ContainerConfiguration
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.ca_published import CaPublished
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.configuration import Configuration
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.images_pinned import ImagesPinned
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.job import Job
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.loopback_only import LoopbackOnly
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.names_inside import NamesInside
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.private_files import PrivateFiles
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.workload import Workload
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project, no_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.containers import IMAGE, PROJECT, Object, answers, container, job
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import HOSTS, contract

Inside = Callable[[str, Sequence[str]], Completed]
MakeProject = Callable[..., Context]


@pytest.fixture
def project(make_context: MakeContext) -> MakeProject:
    """A context of a Compose project with these containers; ``inside`` answers what is run in one."""

    def make(*containers: Object, inside: Inside | None = None, images: dict[str, Object] | None = None, port: int = 1) -> Context:
        document = {**contract(port), "target": "compose", "project": PROJECT}
        return make_context(docker=answers(containers, images, inside), contract=document, snapshot=no_cluster())

    return make


# -- the project itself --------------------------------------------------------------


def test_containers_are_read_once_for_all_who_ask() -> None:
    asked: list[Sequence[str]] = []
    answer = answers([container("api"), container("web")])

    def run(argv: Sequence[str], **_: Any) -> Completed:
        asked.append(argv)
        return answer(argv)

    found = Project(Docker(run), PROJECT)
    assert len(found.of("api")) == len(found.of("web")) == 1
    assert found.of("nope") == []
    assert len(asked) == 2
    assert len(found.fresh().containers()) == 2
    assert len(asked) == 4


def test_a_mode_without_a_project_has_nothing_to_read() -> None:
    with pytest.raises(ParityError, match="PROJECT_ABSENT"):
        Project(Docker(), "").containers()


def test_a_check_of_a_cluster_fails_where_there_is_none(project: MakeProject) -> None:
    with pytest.raises(ParityError, match="CLUSTER_ABSENT"):
        Rollout("api").run(project())
    with pytest.raises(ParityError, match="CLUSTER_ABSENT"):
        project().snapshot.read("secrets", "x", "y")


# -- container -------------------------------------------------------------------------


def test_a_service_that_is_healthy(project: MakeProject) -> None:
    found = Workload("api").run(project(container("api"), container("web", health="starting")))
    assert (found.ok, found.seen) == (True, "api: 1/1 healthy")


@pytest.mark.parametrize(
    ("item", "seen", "grace"),
    [
        (container("api", health="starting"), "is starting: not yet", None),
        (container("api", health="unhealthy"), "is unhealthy: not yet", None),
        (container("api", health=""), "has no health check", 0.0),
        (container("api", status="restarting", code=1), "is restarting with 1", None),
        (container("api", status="exited", code=137, OOMKilled=True), "exited with 137, out of memory", None),
        (container("api", status="exited", code=1, restart="no"), "exited with 1", 5.0),
        (container("api", status="created", Error="no such\nfile"), "is created: no such file", None),
    ],
)
def test_a_service_that_is_not(project: MakeProject, item: Object, seen: str, grace: float | None) -> None:
    found = Workload("api").run(project(item))
    assert (found.ok, found.reason, found.grace) == (False, "WORKLOAD_NOT_READY", grace)
    assert seen in found.seen
    assert Workload("api").run(project()).seen == f"the project {PROJECT} has no container of api"


def test_what_never_starts_names_the_job_that_failed(project: MakeProject) -> None:
    context = project(container("api", status="created", health=""), job("api-migrate", code=3), job("api-seed", status="created"))
    assert Workload("api").run(context).seen.endswith("is created; api-migrate ended with 3")


def test_every_container_of_a_service_counts(project: MakeProject) -> None:
    second = {**container("api", health="unhealthy"), "Id": "second"}
    assert not Workload("api").run(project(container("api"), second)).ok


@pytest.mark.parametrize(
    ("item", "reason", "grace"),
    [
        (job("api-migrate"), "", None),
        (job("api-migrate", code=1), "JOB_FAILED", 0.0),
        (job("api-migrate", status="running"), "JOB_NOT_COMPLETE", None),
        (job("other"), "JOB_NOT_COMPLETE", None),
    ],
)
def test_a_job(project: MakeProject, item: Object, reason: str, grace: float | None) -> None:
    found = Job("api", "api-migrate").run(project(item))
    assert (found.ok, found.reason, found.grace) == (not reason, reason, grace)


# -- configuration ---------------------------------------------------------------------

SECRET = "redis-secret"
API = {"GPUAAS_OIDC_ISSUER": "https://auth.gpuaas.localhost:1/realms/gpuaas", "GPUAAS_LEVEL": "info"}


def digests(**files: str) -> Inside:
    """What the digests of a folder with these files are."""
    lines = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  ./{name}\n" for name, text in files.items())
    return lambda _ident, _command: Completed(lines, "", 0)


@pytest.fixture
def kept(state_dir: Path) -> Path:
    folder = state_dir / "secrets" / "files" / "api"
    folder.mkdir(parents=True)
    (folder / "redis_password").write_text(SECRET)
    return folder


def test_a_container_that_is_configured_as_the_contract_says(project: MakeProject, kept: Path) -> None:
    item = container("api", env={**API, "PATH": "/bin", "PYTHONPATH": "/src"})
    found = Configuration("api").run(project(item, inside=digests(redis_password=SECRET)))
    assert (found.ok, found.seen) == (True, "api: 2 settings and 1 secrets are the contract's")


@pytest.mark.parametrize(("value", "ok"), [(SECRET, True), ("an older one", False)])
def test_a_job_that_is_done_was_configured_as_the_contract_says(project: MakeProject, kept: Path, value: str, ok: bool) -> None:
    """Its files are looked at where they are still mounted."""
    mounts = [{"Name": "api-secrets", "Destination": "/run/secrets/gpuaas"}]
    done = job("api") | {"Mounts": mounts}
    done["Config"]["Env"] = [f"{name}={text}" for name, text in API.items()]
    deliverer = container("secrets") | {"Mounts": [{"Name": "api-secrets", "Destination": "/to/api-secrets"}]}
    found = Configuration("api").run(project(done, deliverer, inside=digests(redis_password=value)))
    assert found.ok is ok, found.seen
    assert not Configuration("api").run(project(job("api", code=1), deliverer, inside=digests(redis_password=value))).ok


@pytest.mark.parametrize(
    ("env", "seen"),
    [
        ({**API, "GPUAAS_EXTRA": "1"}, "has unknown GPUAAS_EXTRA"),
        ({"GPUAAS_LEVEL": "info"}, "lacks GPUAAS_OIDC_ISSUER"),
        ({**API, "GPUAAS_LEVEL": "debug"}, "GPUAAS_LEVEL is 'debug', the contract says 'info'"),
    ],
)
def test_settings_that_are_not_the_contracts(project: MakeProject, kept: Path, env: dict[str, str], seen: str) -> None:
    context = project(container("api", env=env), inside=digests(redis_password=SECRET))
    found = Configuration("api").run(context)
    assert found.reason == "CONFIGURATION_DRIFT"
    assert seen in found.seen


def test_a_variable_that_the_image_brings_is_its_own_business(project: MakeProject, kept: Path) -> None:
    brings = {IMAGE: {"Id": IMAGE, "Config": {"Env": ["GPUAAS_BUILT=yes"]}}}
    for value, ok in (("yes", True), ("no", False)):
        item = container("api", env={**API, "GPUAAS_BUILT": value})
        assert Configuration("api").run(project(item, images=brings, inside=digests(redis_password=SECRET))).ok is ok


@pytest.mark.parametrize(
    ("inside", "seen"),
    [
        (digests(), "lacks redis_password"),
        (digests(redis_password="an older one"), "is not what"),
        (digests(redis_password=SECRET, session_key="x"), "has unknown session_key"),
        (lambda _ident, _command: Completed("", "permission denied", 4), "cannot be read"),
    ],
)
def test_secrets_that_are_not_the_contracts(project: MakeProject, kept: Path, inside: Inside, seen: str) -> None:
    found = Configuration("api").run(project(container("api", env=API), inside=inside))
    assert found.reason == "CONFIGURATION_DRIFT"
    assert seen in found.seen
    assert SECRET not in found.seen


@pytest.mark.parametrize(
    ("inside", "seen"),
    [
        (digests(client_id="an-id", client_secret=SECRET), ""),
        (digests(client_id="another", client_secret=SECRET), "client_id in gpuaas-local-api-1 is not what"),
        (digests(client_id="an-id"), "lacks client_secret"),
        (digests(client_id="an-id", client_secret=SECRET, redis_password=SECRET), "has unknown redis_password"),
    ],
)
def test_who_asks_a_server_has_what_it_logs_in_with(project: MakeProject, kept: Path, inside: Inside, seen: str) -> None:
    (kept / "identity_id").write_text("an-id")
    (kept / "client_secret").write_text(SECRET)
    asked: list[str] = []

    def looking(ident: str, command: Sequence[str]) -> Completed:
        asked.append(str(command[-1]))
        return inside(ident, command)

    context = project(container("api", env=API), inside=looking)
    context.contract["services"]["api"]["identity"] = "https://keeper.test"
    found = Configuration("api").run(context)
    assert found.ok is not bool(seen), found.seen
    assert seen in found.seen
    assert asked == ["/run/secrets/infisical"]


def test_a_secret_that_is_gone_here_cannot_be_compared(project: MakeProject, kept: Path) -> None:
    (kept / "redis_password").unlink()
    found = Configuration("api").run(project(container("api", env=API), inside=digests(redis_password=SECRET)))
    assert "cannot be compared" in found.seen


@pytest.fixture
def certificates(state_dir: Path) -> dict[str, str]:
    """What each endpoint's certificate and key hold."""
    for name in HOSTS:
        (state_dir / "tls" / name).mkdir()
        for end in ("crt", "key"):
            (state_dir / "tls" / name / f"tls.{end}").write_text(f"{name} {end}")
    return {f"{name}.{end}": f"{name} {end}" for name in HOSTS for end in ("crt", "key")}


def test_certificates_of_the_endpoints_are_compared_too(project: MakeProject, certificates: dict[str, str]) -> None:
    check, item = Configuration("traefik", certificates=True), container("traefik", env={"A": "1"})
    found = check.run(project(item, inside=digests(**certificates)))
    assert found.ok, found.seen
    assert "web.key in" in check.run(project(item, inside=digests(**{**certificates, "web.key": "older"}))).seen
    assert "lacks api.crt" in check.run(project(item, inside=digests(**{k: v for k, v in certificates.items() if k != "api.crt"}))).seen
    assert "has unknown" in Configuration("traefik").run(project(item, inside=digests(**certificates))).seen


def test_a_container_without_a_shell_is_read_where_another_has_its_volume(project: MakeProject, certificates: dict[str, str]) -> None:
    traefik = container("traefik", env={"A": "1"}, mounts={"certificates": "/run/secrets/gpuaas"})
    check = Configuration("traefik", certificates=True)

    def inside(ident: str, command: Sequence[str]) -> Completed:
        if ident == "--user=0":
            assert (command[0], command[-1]) == ("id-of-secrets", "/to/certificates")
            return digests(**certificates)(ident, command)
        return Completed('OCI runtime exec failed: exec: "sh": executable file not found', "", 127)

    holder = container("secrets", mounts={"other": "/to/other", "certificates": "/to/certificates"})
    found = check.run(project(holder, traefik, inside=inside))
    assert found.ok, found.seen
    for others in ([], [container("secrets", mounts={"other": "/to/other"})], [{**holder, "State": {"Status": "exited"}}]):
        found = check.run(project(*others, traefik, inside=inside))
        assert (found.ok, found.reason) == (False, "CONFIGURATION_DRIFT")
        assert "cannot be read" in found.seen


def test_a_component_that_does_not_run_is_not_configured(project: MakeProject) -> None:
    found = Configuration("api").run(project(container("api", status="exited")))
    assert found.reason == "CONFIGURATION_DRIFT"
    assert "no container of api runs" in found.seen


def test_the_digests_are_made_where_the_files_are(project: MakeProject, kept: Path, tmp_path: Path) -> None:
    """The script itself, in a shell of this machine."""
    import subprocess

    folder = tmp_path / "inside"

    def inside(ident: str, command: Sequence[str]) -> Completed:
        assert ident == "id-of-api"
        done = subprocess.run(["sh", *command[1:]], capture_output=True, text=True, check=False)
        return Completed(done.stdout, done.stderr, done.returncode)

    check, context = ContainerConfiguration("api", folder=str(folder)), project(container("api", env=API), inside=inside)
    assert "lacks redis_password" in check.run(context).seen
    folder.mkdir()
    (folder / "redis_password").write_text(SECRET)
    found = check.run(context)
    assert found.ok, found.seen
    (folder / ".hidden key").write_text("x")
    assert "has unknown .hidden key" in check.run(context).seen
    (folder / ".hidden key").unlink()
    (folder / "folder").mkdir()
    assert "cannot be read" in check.run(context).seen


def test_containers_trust_our_ca(project: MakeProject, state_dir: Path) -> None:
    ours = hashlib.sha256((state_dir / "tls" / "ca.crt").read_bytes()).hexdigest()

    def look(answer: Completed, *containers: Object) -> str:
        context = project(*containers, inside=lambda _ident, command: answer if command[-1] == "/" else Completed("", "", 1))
        found = CaPublished("api", "/ca.crt").run(context)
        assert found.ok or found.reason == "CONFIGURATION_DRIFT"
        return found.seen

    assert look(Completed(f"{ours}  ./ca.crt\n", "", 0), container("api")) == "/ca.crt is our CA in the containers of api"
    assert "another CA" in look(Completed(f"{'0' * 64}  ./ca.crt\n", "", 0), container("api"))
    assert "cannot be read" in look(Completed("", "no such file", 1), container("api"))
    assert "no container of api runs" in look(Completed("", "", 0))


# -- names -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seen", "ok"),
    [
        (Completed("172.30.0.9 STREAM web\n172.30.0.9 DGRAM\n", "", 0), "are traefik in api, web", True),
        (Completed("127.0.0.1 STREAM web\n", "", 0), "is 127.0.0.1 in api, not traefik (172.30.0.9)", False),
        (Completed("172.30.0.9 STREAM a\n10.0.0.1 STREAM a\n", "", 0), "10.0.0.1, 172.30.0.9", False),
        (Completed("", "", 2), "is not known in api", False),
    ],
)
def test_names_inside_whoever_asks_for_one(project: MakeProject, said: Completed, seen: str, ok: bool) -> None:
    asked: list[tuple[str, str]] = []

    def inside(ident: str, command: Sequence[str]) -> Completed:
        assert list(command[:2]) == ["getent", "ahosts"]
        asked.append((ident, command[2]))
        return said

    context = project(container("traefik", address="172.30.0.9"), container("api"), container("web"), inside=inside)
    found = NamesInside("traefik").run(context)
    assert (found.ok, found.reason) == (ok, "" if ok else "PROJECT_DNS_WRONG")
    assert seen in found.seen
    # Those whose settings hold a public name, and every name; the keeper has none in its settings.
    if ok:
        assert asked == [(f"id-of-{name}", host) for name in ("api", "web") for host in HOSTS.values()]


def test_names_that_nobody_could_ask_for(project: MakeProject) -> None:
    check = NamesInside("traefik")
    assert "no container of traefik runs" in check.run(project(container("api"), container("traefik", status="exited"))).seen
    assert "nothing was asked" in check.run(project(container("traefik"))).seen


# -- images, ports, files ------------------------------------------------------------------


def _named(state_dir: Path, **images: str) -> None:
    document = {"services": {name: {"image": image} for name, image in images.items()}}
    (state_dir / "machine.yml").write_text(yaml.safe_dump(document))


def test_containers_run_the_images_that_are_named(project: MakeProject, state_dir: Path) -> None:
    _named(state_dir, api="gpuaas-parity/api:1", secrets="gpuaas-parity/base:1")
    images = {"gpuaas-parity/api:1": {"Id": IMAGE}, "gpuaas-parity/base:1": {"Id": IMAGE}}
    found = ImagesPinned().run(project(container("api"), container("secrets"), images=images))
    assert found.ok, found.seen


@pytest.mark.parametrize(
    ("service", "reference", "seen"),
    [
        ("api", "gpuaas-parity/api:2", "the list names gpuaas-parity/api:2 (sha256:bbbb"),
        ("api", "gpuaas-parity/api:gone", "is not on this machine"),
        ("stranger", "gpuaas-parity/api:1", "knows no service stranger"),
    ],
)
def test_images_that_are_not(project: MakeProject, state_dir: Path, service: str, reference: str, seen: str) -> None:
    _named(state_dir, api=reference)
    images = {"gpuaas-parity/api:1": {"Id": IMAGE}, "gpuaas-parity/api:2": {"Id": "sha256:" + "b" * 64}}
    found = ImagesPinned().run(project(container(service), images=images))
    assert found.reason == "IMAGE_NOT_PINNED"
    assert seen in found.seen


@pytest.mark.parametrize("text", [None, "[]", "services: {api: {}}", "{"])
def test_a_list_of_images_that_is_none(project: MakeProject, state_dir: Path, text: str | None) -> None:
    if text is not None:
        (state_dir / "machine.yml").write_text(text)
    found = ImagesPinned().run(project(container("api")))
    assert found.reason == "IMAGE_NOT_PINNED"
    assert "machine.yml" in found.seen


def test_no_container_runs_no_image(project: MakeProject, state_dir: Path) -> None:
    _named(state_dir, api="x")
    assert "no container to compare" in ImagesPinned().run(project()).seen


def test_ports_on_loopback(project: MakeProject) -> None:
    items = [container("traefik", ports=[("9443/tcp", "127.0.0.1", "9443")]), container("redis", ports=[("6379/tcp", "::1", "16379")])]
    found = LoopbackOnly().run(project(*items, container("api")))
    assert (found.ok, found.seen) == (True, "traefik 127.0.0.1:9443 -> 9443/tcp, redis ::1:16379 -> 6379/tcp")


@pytest.mark.parametrize(
    ("item", "seen"),
    [
        (container("redis", ports=[("6379/tcp", "0.0.0.0", "16379")]), "redis 0.0.0.0:16379"),
        (container("redis", ports=[("6379/tcp", "", "16379")]), "redis *:16379"),
        (container("redis", status="exited", ports=[("6379/tcp", "0.0.0.0", "16379")]), "redis 0.0.0.0:16379"),
    ],
)
def test_ports_off_loopback(project: MakeProject, item: Object, seen: str) -> None:
    found = LoopbackOnly().run(project(container("traefik", ports=[("9443/tcp", "127.0.0.1", "9443")]), item))
    assert found.reason == "LISTENS_OFF_LOOPBACK"
    assert seen in found.seen


def test_a_project_that_shares_the_hosts_network_or_publishes_nothing(project: MakeProject) -> None:
    item = container("api")
    assert "publishes no port" in LoopbackOnly().run(project(item)).seen
    item["HostConfig"]["NetworkMode"] = "host"
    assert "shares the host's network" in LoopbackOnly().run(project(item)).seen


def test_private_files_of_a_project(project: MakeProject, state_dir: Path) -> None:
    for folder in (state_dir, state_dir / "tls", state_dir / "secrets"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
    assert "machine.yml" in PrivateFiles().run(project()).seen
    (state_dir / "machine.yml").touch(0o600)
    found = PrivateFiles().run(project())
    assert found.ok, found.seen
    (state_dir / "machine.yml").chmod(0o644)
    assert PrivateFiles().run(project()).reason == "SECRETS_EXPOSED"
