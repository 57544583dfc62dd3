"""A bundle is written whatever state the machine is in, says what it lacks, and holds no secret."""

from __future__ import annotations

import base64
import json
import stat
import tarfile
import urllib.parse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.archive import KEPT
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.bundle import (
    Bundle,
    Failure,
    Sources,
    write_bundle,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.state_dir import MARKER, make_state_dir
from ansible_collections.gpuaas.parity.tests.unit.checks.containers import answers, container, job

from .stand_ins import Cluster, Machine, Object, pod, warning

NOW = datetime(2026, 3, 14, 9, 15, 0, tzinfo=UTC)
FAILURE = Failure("up", "READY_TIMEOUT", "READY_TIMEOUT: redis was not ready within 300 s\n  -> make kind-parity-logs")
SECRET = "k9/Xv+corr&ect horse"
NAME = "20260314T091500Z-up"


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "kind"
    make_state_dir(directory)
    for path, text in {
        "secrets/secrets.yml": yaml.safe_dump({"redis_password": SECRET}),
        "secrets/files/api/redis_password": SECRET,
        "kubeconfig": "apiVersion: v1\n",
        "kind-config.yaml": "kind: Cluster\n",
        "rendered/contract.json": '{"contract": 1}',
        "rendered/data_stores/redis.env": "REDIS_PORT=6379\n",
        "images/images.json": "{}",
        "reports/validate.json": "{}",
        "logs/up.log": "went wrong\n",
        "tls/ca.crt": "-----BEGIN CERTIFICATE-----\n",
        "tls/ca.key": "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n-----END PRIVATE KEY-----\n",
        "bundles/older.txt": "not again",
    }.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(text)
    return directory


Write = Callable[..., Bundle]


@pytest.fixture
def write(state_dir: Path) -> Write:
    def write(cluster: Cluster | ParityError | None = None, machine: Machine | None = None, **options: float) -> Bundle:
        def connect(path: Path) -> Cluster:
            if isinstance(cluster, ParityError):
                raise cluster
            return cluster or Cluster()

        return write_bundle(
            Sources(
                state_dir,
                state_dir / "kubeconfig",
                "node",
                run=machine or Machine(),
                connect=connect,
                now=lambda: NOW,
                **options,
            ),
            FAILURE,
        )

    return write


def texts_of(bundle: Bundle) -> dict[str, str]:
    assert bundle.path is not None, bundle.problem
    with tarfile.open(bundle.path) as tar:
        found = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        top = bundle.path.name.removesuffix(".tar.gz")
        return {name.removeprefix(f"{top}/"): file.read().decode() for name, file in found.items() if file}


def test_a_bundle_holds_what_diagnosis_needs(write: Write, state_dir: Path) -> None:
    cluster = Cluster(
        pods=[pod("redis-0", ready=False, restarts=2), pod("postgres-0")],
        events=[warning("redis-0", "Back-off restarting failed container")],
        log={
            "gpuaas-data/redis-0/main": "now\n",
            "gpuaas-data/redis-0/main previous": "before\n",
            "gpuaas-data/postgres-0/main": "fine\n",
        },
    )
    bundle = write(cluster)
    assert bundle.path == state_dir / "bundles" / f"{NAME}.tar.gz"
    assert bundle.missed == []
    texts = texts_of(bundle)
    assert next(iter(texts)) == "MANIFEST.txt"
    assert "READY_TIMEOUT" in texts["failure.txt"]
    assert texts["logs/gpuaas-data/redis-0/main.log"] == "now\n"
    assert texts["logs/gpuaas-data/redis-0/main.previous.log"] == "before\n"
    assert "logs/gpuaas-data/postgres-0/main.previous.log" not in texts
    assert "log 2000" in cluster.asked
    assert "Back-off restarting" in texts["cluster/events.txt"]
    assert "managedFields" not in texts["cluster/pods.json"]
    assert "note" in texts["cluster/pods.json"]
    for path in (
        "files/kind-config.yaml",
        "files/rendered/contract.json",
        "files/rendered/data_stores/redis.env",
        "files/images/images.json",
        "files/reports/validate.json",
        "files/logs/up.log",
        "files/tls/ca.crt",
        "node/journal.txt",
        "node/kubelet.txt",
        "node/containerd.txt",
        "node/inspect.json",
        "host/docker-info.txt",
        "host/docker-version.txt",
        "host/disk.txt",
        "host/memory.txt",
        "cluster/nodes.json",
    ):
        assert texts[path], path
    assert "max_user_instances" in texts["host/facts.txt"]
    assert "journalctl --no-pager --output=short-iso -n 5000" in texts["node/journal.txt"]


def test_the_summary_names_the_blocker_first(write: Write) -> None:
    cluster = Cluster(
        pods=[pod("a-well"), pod("redis-0", ready=False, restarts=2, waiting="CrashLoopBackOff")],
        events=[warning("redis-0", "Back-off"), warning("a-well", "long over")],
    )
    text = texts_of(write(cluster))["SUMMARY.txt"]
    assert text.index("redis-0") < text.index("a-well")
    assert "CrashLoopBackOff" in text
    assert "exit 3 (Error)" in text
    assert "Back-off" in text
    assert "long over" not in text


def test_what_must_stay_is_not_in_the_bundle(write: Write) -> None:
    texts = texts_of(write())
    assert not [path for path in texts if "secrets" in path or path.endswith((".key", "kubeconfig")) or "bundles" in path]


def test_secrets_are_never_asked_for(write: Write) -> None:
    cluster, machine = Cluster(pods=[pod("redis-0")], log={"gpuaas-data/redis-0/main": "x"}), Machine()
    write(cluster, machine)
    assert not [asked for asked in [*cluster.asked, *machine.asked] if "secret" in asked.lower()]


def test_no_spelling_of_a_secret_reaches_the_bundle(write: Write, state_dir: Path) -> None:
    spellings = [
        SECRET,
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"default:{SECRET}".encode()).decode(),
        urllib.parse.quote(SECRET, safe=""),
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",
    ]
    everywhere = "\n".join(f"value: {text}" for text in spellings)
    (state_dir / "logs" / "up.log").write_text(everywhere)
    machine = Machine({"docker": Completed(everywhere, everywhere, 0)})
    cluster = Cluster(
        pods=[pod("redis-0", ready=False)],
        events=[warning("redis-0", everywhere)],
        log={"gpuaas-data/redis-0/main": everywhere},
    )
    bundle = write(cluster, machine)
    for path, text in texts_of(bundle).items():
        for spelling in spellings:
            assert spelling not in text, path


def test_a_secret_in_a_failure_of_a_collector_is_masked(write: Write) -> None:
    bundle = write(ParityError("KUBE_API_REFUSED", f"said {SECRET}"))
    assert SECRET not in str(bundle.missed)
    assert SECRET not in texts_of(bundle)["MANIFEST.txt"]


def test_without_a_cluster_the_rest_is_there(write: Write) -> None:
    machine = Machine({"docker inspect": Completed("[]\n", "Error: No such container: node", 1)})
    bundle = write(ParityError("CLUSTER_ABSENT", "no kubeconfig"), machine)
    texts = texts_of(bundle)
    assert "host/docker-info.txt" in texts
    assert "files/logs/up.log" in texts
    missed = dict(bundle.missed)
    assert "CLUSTER_ABSENT: no kubeconfig" in missed["cluster"]
    assert "No such container" in missed["node"]
    assert not [path for path in texts if path.startswith("node/journal")]
    assert "cluster: CLUSTER_ABSENT: no kubeconfig" in texts["MANIFEST.txt"]


def test_with_half_a_cluster_the_logs_come_from_the_nodes_disk(write: Write) -> None:
    texts = texts_of(write(ParityError("KUBE_API_UNREACHABLE", "refused")))
    assert "/var/log/pods" in texts["node/pod-logs.txt"]
    assert "node/journal.txt" in texts


def test_without_docker_the_host_and_the_files_are_there(write: Write) -> None:
    machine = Machine({"docker": ParityError("COMMAND_MISSING", "cannot start docker")})
    bundle = write(ParityError("CLUSTER_ABSENT", "none"), machine)
    texts = texts_of(bundle)
    assert "host/facts.txt" in texts
    assert "files/rendered/contract.json" in texts
    assert "COMMAND_MISSING" in dict(bundle.missed)["host/docker-info.txt"]


def test_one_refused_list_costs_only_itself(write: Write) -> None:
    bundle = write(Cluster(pods=[pod("redis-0")], log={"gpuaas-data/redis-0/main": "x"}, refuses=frozenset({"nodes"})))
    assert [what for what, _why in bundle.missed] == ["cluster/nodes.json"]


def test_a_collector_that_hangs_is_left_behind(write: Write) -> None:
    bundle = write(Cluster(hangs=frozenset({"events"})), each=0.05)
    texts = texts_of(bundle)
    assert "not finished after 0.05 s" in dict(bundle.missed)["cluster"]
    assert "cluster/pods.json" in texts
    assert "files/logs/up.log" in texts


def test_the_whole_is_bounded_too(write: Write) -> None:
    bundle = write(Cluster(hangs=frozenset({"events"})), whole=0.05, each=60.0)
    assert "were over" in dict(bundle.missed)["cluster"]


def test_a_run_that_made_nothing_still_gets_a_bundle(tmp_path: Path) -> None:
    directory = tmp_path / ".parity" / "kind"
    missing = ParityError("CLUSTER_ABSENT", "none")

    def connect(_path: Path) -> Cluster:
        raise missing

    bundle = write_bundle(Sources(directory, directory / "kubeconfig", "node", run=Machine(), connect=connect), FAILURE)
    assert bundle.path is not None
    assert (directory / MARKER).is_file()
    assert "holds nothing yet" in dict(bundle.missed)["files of the state directory"]


def test_a_directory_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    bundle = write_bundle(Sources(tmp_path, tmp_path / "kubeconfig", "node", run=Machine()), FAILURE)
    assert bundle.path is None
    assert "STATE_DIR_UNSAFE" in bundle.problem
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_bundle_that_cannot_be_written_is_no_failure(write: Write, state_dir: Path) -> None:
    (state_dir / "bundles" / "older.txt").unlink()
    (state_dir / "bundles").rmdir()
    (state_dir / "bundles").write_text("a file where a folder should be")
    bundle = write()
    assert bundle.path is None
    assert "Error" in bundle.problem


def test_secrets_that_cannot_be_read_keep_all_texts_back(write: Write, state_dir: Path) -> None:
    secrets = state_dir / "secrets" / "secrets.yml"
    secrets.unlink()
    secrets.symlink_to("secrets.yml")
    cluster = Cluster()
    bundle = write(cluster)
    assert {path.split("/")[0] for path in texts_of(bundle)} == {"MANIFEST.txt", "failure.txt", "host"}
    assert cluster.asked == []
    assert "could not be redacted" in dict(bundle.missed)["cluster"]


def test_a_bundle_is_private(write: Write, state_dir: Path) -> None:
    (state_dir / "bundles" / "older.txt").unlink()
    (state_dir / "bundles").rmdir()
    path = write().path
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_two_in_one_second_do_not_replace_each_other(write: Write) -> None:
    names = [bundle.path.name for bundle in (write(), write(), write()) if bundle.path]
    assert names == [f"{NAME}.tar.gz", f"{NAME}-2.tar.gz", f"{NAME}-3.tar.gz"]


def test_old_bundles_go(write: Write, state_dir: Path) -> None:
    for hour in range(KEPT + 3):
        (state_dir / "bundles" / f"20250101T{hour:02}0000Z-up.tar.gz").write_text("old")
    path = write().path
    left = sorted((state_dir / "bundles").glob("*.tar.gz"))
    assert len(left) == KEPT
    assert left[-1] == path


def test_links_and_binary_files_are_left_out(write: Write, state_dir: Path) -> None:
    (state_dir / "logs" / "link.log").symlink_to("/etc/passwd")
    for name in ("page.png", "page2.png"):
        (state_dir / "reports" / name).write_bytes(b"\x89PNG\0\0")
    bundle = write()
    texts, missed = texts_of(bundle), dict(bundle.missed)
    assert "files/logs/link.log" not in texts
    assert "files/logs/link.log" in missed
    assert missed["files/reports"] == "2 files left out: not text, which cannot be redacted"


def test_of_a_long_log_the_end_is_kept_from_a_whole_line_on(write: Write, state_dir: Path) -> None:
    line = f"{'x' * 99}\n"
    (state_dir / "logs" / "up.log").write_text(f"start {SECRET}\n" + line * 60_000 + "the end\n")
    text = texts_of(write())["files/logs/up.log"]
    assert text.endswith("the end\n")
    assert text.startswith("(the first ")
    assert text.splitlines()[1] == line.strip()
    assert len(text) < 4.1 * 1024 * 1024


def test_the_verb_cannot_leave_the_folder(state_dir: Path) -> None:
    sources = Sources(state_dir, state_dir / "kubeconfig", "node", run=Machine(), connect=lambda _path: Cluster(), now=lambda: NOW)
    path = write_bundle(sources, Failure("../../up now", "INTERNAL", "x")).path
    assert path == state_dir / "bundles" / "20260314T091500Z--up-now.tar.gz"


# -- a Compose project ------------------------------------------------------------


@pytest.fixture
def compose_dir(state_dir: Path) -> Path:
    """The same state, rendered for Docker Compose elsewhere and linked, without a kubeconfig."""
    (state_dir / "kubeconfig").unlink()
    there = state_dir.parent / "local"
    (state_dir / "rendered").rename(there)
    (state_dir / "rendered").symlink_to("../local")
    document = {"target": "compose", "project": "gpuaas-local", "services": {}, "endpoints": {}, "secrets": {}}
    (there / "contract.json").write_text(json.dumps(document))
    (state_dir / "machine.yml").write_text("services: {}\n")
    return state_dir


class Engine(Machine):
    """A machine whose docker also knows containers."""

    def __init__(self, *containers: Object) -> None:
        super().__init__()
        self.docker = answers(containers)

    def __call__(self, argv: Sequence[str], **options: object) -> Completed:
        known = list(argv)[:2] == ["docker", "inspect"] or "--quiet" in argv
        return self.docker(argv) if known else super().__call__(argv, **options)


def of_project(state_dir: Path, machine: Machine, kubeconfig: Path | None = None) -> Bundle:
    return write_bundle(Sources(state_dir, kubeconfig, run=machine, now=lambda: NOW), FAILURE)


@pytest.mark.parametrize("given", [True, False])
def test_a_bundle_of_a_project_holds_what_diagnosis_needs(compose_dir: Path, given: bool) -> None:
    leaks = container("api", health="unhealthy", env={"LEAK": SECRET})
    never = container("keycloak", status="created", health="", StartedAt="0001-01-01T00:00:00Z")
    machine = Engine(leaks, container("web"), job("api-migrate"), job("api-seed", code=3), job("late", status="running"), never)
    bundle = of_project(compose_dir, machine, compose_dir / "kubeconfig" if given else None)
    assert bundle.missed == []
    texts = texts_of(bundle)
    for path in (
        "files/rendered/contract.json",
        "files/rendered/data_stores/redis.env",
        "files/machine.yml",
        "project/containers.txt",
        "project/networks.txt",
        "project/volumes.txt",
        "host/docker-info.txt",
        "logs/api/gpuaas-local-api-1.log",
        "logs/api-seed/gpuaas-local-api-seed-1.log",
    ):
        assert texts[path], path
    assert "docker logs --timestamps --tail=2000 id-of-api" in texts["logs/api/gpuaas-local-api-1.log"]
    summary = texts["SUMMARY.txt"]
    assert summary.startswith("6 containers, 4 of them neither healthy nor done")
    assert "container gpuaas-local-api-1 is unhealthy: not yet" in summary
    assert "api-seed-1 is exited with 3" in summary
    assert "late-1  running  restarts 0  since 2026-11-21T10:00:00.5Z\n    blocked by: it is a job and still at work" in summary
    assert "keycloak-1  created  restarts 0\n" in summary
    assert summary.index("api-seed-1") < summary.index("web-1")
    assert "LEAK=[***]" in texts["project/inspect.json"]
    assert not [path for path in texts if path.startswith(("node/", "cluster/"))]


def test_a_project_without_containers_or_without_a_name_is_noted(compose_dir: Path) -> None:
    assert "PROJECT_ABSENT" in dict(of_project(compose_dir, Engine()).missed)["project"]
    (compose_dir / "rendered" / "contract.json").write_text("{")
    missed = dict(of_project(compose_dir, Engine(container("api"))).missed)
    assert "CONTRACT_NOT_RENDERED" in missed["project"]


def test_of_a_project_too_nothing_leaves_that_could_not_be_redacted(compose_dir: Path) -> None:
    secrets = compose_dir / "secrets" / "secrets.yml"
    secrets.unlink()
    secrets.symlink_to("secrets.yml")
    bundle = of_project(compose_dir, Engine(container("api")))
    assert {path.split("/")[0] for path in texts_of(bundle)} == {"MANIFEST.txt", "failure.txt", "host"}
    assert "could not be redacted" in dict(bundle.missed)["project"]
