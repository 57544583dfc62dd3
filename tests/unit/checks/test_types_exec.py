"""The type exec: a component's own program in its own container, in a pod and in a Compose project alike."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.exec import Exec
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import no_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed, timed_out
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.containers import PROJECT, answers, container
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import contract
from ansible_collections.gpuaas.parity.tests.unit.kube.objects import Object, pod, workload

NS = "gpuaas-control-plane"
SECRET = "a-secret-that-is-long-enough"
Ends = Callable[[Sequence[str]], Completed]


def look(check: Exec, context: Context) -> Observation:
    """One look, what it raises being its failure, as the engine has it."""
    try:
        return check.run(context)
    except ParityError as error:
        return Observation(False, error.seen, error.reason, {"advice": error.do})


class Ran:
    """Where the program was run, and as what."""

    def __init__(self, ends: Ends) -> None:
        self.ends = ends
        self.pods: list[tuple[str, str, str]] = []
        self.containers: list[str] = []
        self.seconds: list[float] = []

    def in_pod(self, namespace: str, name: str, container: str, command: Sequence[str], timeout: float) -> Completed:
        self.pods.append((namespace, name, container))
        self.seconds.append(timeout)
        return self.ends(command)

    def inside(self, ident: str, command: Sequence[str]) -> Completed:
        self.containers.append(ident)
        return self.ends(command)


@pytest.fixture(params=["kubernetes", "compose"])
def within(request: pytest.FixtureRequest, make_context: MakeContext) -> Callable[[Ran], Context]:
    """A context in which one container of api runs, on each target."""

    def make(ran: Ran) -> Context:
        if request.param == "compose":
            document = {**contract(1), "target": "compose", "project": PROJECT}
            return make_context(docker=answers([container("api")], None, ran.inside), contract=document, snapshot=no_cluster())
        return make_context({"deployments": [workload("api", NS)], "pods": [pod("api-1", NS, "api")]}, in_pod=ran.in_pod)

    return make


def says(stdout: str = "", rc: int = 0, stderr: str = "") -> Ends:
    return lambda _command: Completed(stdout, stderr, rc)


# -- what it comes to ---------------------------------------------------------------------


def test_a_program_that_succeeds(within: Callable[[Ran], Context]) -> None:
    ran = Ran(lambda command: Completed("1 row\n", "", 0) if command == ["psql", "-c", "SELECT 1"] else Completed("", "", 9))
    found = look(Exec("api", ["psql", "-c", "SELECT 1"], expect="^1 row$"), within(ran))
    assert found.ok, found.seen
    assert found.seen.startswith("psql in ")
    # What it printed is nobody's business while it holds.
    assert "1 row" not in found.seen
    assert ran.pods == [(NS, "api-1", "api")] or ran.containers == ["id-of-api"]


@pytest.mark.parametrize(
    ("ends", "expect", "seen"),
    [
        (says("half a word", 2, "no such host\n"), "", "ended with 2: no such host"),
        (says("said on stdout", 1), "", "ended with 1: said on stdout"),
        (says("", 1), "", "ended with 1: (it printed nothing)"),
        (says("2 rows\n"), "^1 row", "did not print '^1 row': 2 rows"),
        (says("", 5, "no\ncommand terminated with exit code 5\n"), "", "ended with 5: no"),
    ],
)
def test_a_program_that_does_not(within: Callable[[Ran], Context], ends: Ends, expect: str, seen: str) -> None:
    found = look(Exec("api", ["psql"], expect), within(Ran(ends)))
    assert (found.ok, found.reason) == (False, "EXEC_FAILED")
    assert found.seen.startswith("psql in ") and found.seen.endswith(seen)
    assert found.details["advice"] == "{logs} COMPONENT=api"


def test_what_is_shown_is_short_and_without_secrets(within: Callable[[Ran], Context], state_dir: Path) -> None:
    file = state_dir / "secrets" / "files" / "api" / "password"
    file.parent.mkdir(parents=True)
    file.touch(mode=0o600)
    file.write_text(SECRET)
    # Also where the cut goes through it.
    for padding in (0, 150, 185):
        found = look(Exec("api", ["psql"]), within(Ran(says("x" * 900 + SECRET + "y" * padding, 1))))
        assert len(found.seen) < 300
        assert not any(SECRET[start : start + 6] in found.seen for start in range(len(SECRET) - 6))


def test_what_cannot_be_masked_is_not_shown(within: Callable[[Ran], Context], state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = state_dir / "secrets" / "secrets.yml"
    file.parent.mkdir()
    file.touch(mode=0o600)
    file.write_text(f"a: {SECRET}")
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == file:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    found = look(Exec("api", ["psql"]), within(Ran(says(SECRET, 1))))
    assert SECRET not in found.seen
    assert "is not shown" in found.seen


def test_a_program_that_does_not_end_in_time_tells_nothing_of_what_it_printed(within: Callable[[Ran], Context]) -> None:
    def hang(command: Sequence[str]) -> Completed:
        raise timed_out(["kubectl", *command], 2, SECRET)

    found = look(Exec("api", ["psql"], timeout=2), within(Ran(hang)))
    assert (found.reason, found.seen) == ("EXEC_FAILED", "psql in api did not end within 2 s")


# -- where it is run ------------------------------------------------------------------------


def _ready_at(name: str, at: str, **changes: Any) -> Object:
    item = pod(name, NS, "api", **changes)
    item["metadata"]["creationTimestamp"] = at
    return item


def test_it_runs_in_the_newest_pod_that_is_ready(make_context: MakeContext) -> None:
    ran = Ran(says())
    pods = [_ready_at("old", "2026-01-01"), _ready_at("new", "2026-01-02"), _ready_at("newest", "2026-01-03", ready=False)]
    leaving = _ready_at("leaving", "2026-01-04")
    leaving["metadata"]["deletionTimestamp"] = "now"
    context = make_context({"deployments": [workload("api", NS)], "pods": [*pods, leaving]}, in_pod=ran.in_pod)
    assert look(Exec("api", ["true"], timeout=7), context).ok
    assert look(Exec("api", ["true"], timeout=7, container="sidecar"), context).ok
    assert ran.pods == [(NS, "new", "api"), (NS, "new", "sidecar")]
    assert ran.seconds == [7, 7]


def test_another_service_of_a_project(make_context: MakeContext) -> None:
    ran = Ran(says())
    document = {**contract(1), "target": "compose", "project": PROJECT}
    docker = answers([container("api"), container("api-helper")], None, ran.inside)
    context = make_context(docker=docker, contract=document, snapshot=no_cluster())
    assert look(Exec("api", ["true"], container="api-helper"), context).ok
    assert ran.containers == ["id-of-api-helper"]


def test_nothing_to_run_in(make_context: MakeContext) -> None:
    found = look(Exec("api", ["true"]), make_context())
    assert (found.reason, found.seen) == ("EXEC_FAILED", "no pod of api runs")
    document = {**contract(1), "target": "compose", "project": PROJECT}
    stopped = answers([container("api", status="exited")])
    found = look(Exec("api", ["true"]), make_context(docker=stopped, contract=document, snapshot=no_cluster()))
    assert (found.reason, found.seen) == ("EXEC_FAILED", f"no container of api runs in the project {PROJECT}")


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"command": []}, "command is empty"),
        ({"command": ["sh", ""]}, "has an empty part"),
        ({"expect": "("}, "no regular expression"),
        ({"timeout": 0}, "not above 0"),
        ({"timeout": 31}, "at most 30"),
    ],
)
def test_what_it_does_not_take(changes: dict[str, Any], seen: str) -> None:
    with pytest.raises(ValueError, match=seen):
        Exec(**{"component": "api", "command": ["true"], **changes})


# -- what heals ---------------------------------------------------------------------------------


class Broken:
    """A component whose program fails until it is healed."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def __call__(self, command: Sequence[str]) -> Completed:
        self.ran.append(command[0])
        return Completed("", "refused", 0 if command[0] == "heal" or "heal" in self.ran else 1)


def test_what_does_not_hold_is_healed_where_the_run_may(within: Callable[[Ran], Context]) -> None:
    broken, check = Broken(), Exec("api", ["look"], heal=["heal"])
    assert not look(check, within(Ran(broken))).ok
    assert broken.ran == ["look"]
    context = replace(within(Ran(broken)), heals=True)
    assert look(check, context).ok
    assert look(check, context).ok
    assert broken.ran[1:] == ["look", "heal", "look", "look"]


def test_nothing_is_healed_before_the_component_is_ready(make_context: MakeContext) -> None:
    ran = Ran(Broken())
    starting = {"deployments": [workload("api", NS)], "pods": [pod("api-1", NS, "api", ready=False)]}
    found = look(Exec("api", ["look"], heal=["heal"]), make_context(starting, in_pod=ran.in_pod, heals=True))
    assert (found.ok, found.seen, ran.pods) == (False, "api is not ready", [])


# -- the reference's own ----------------------------------------------------------------------


def own(component: str) -> Exec:
    """The exec check of a component, as its checks.yml has it."""
    import yaml

    file = Path(__file__).resolve().parents[3] / "platform" / "components" / component / "checks.yml"
    (found,) = (one for one in yaml.safe_load(file.read_text()) if one["id"] == f"{component}-round-trip")
    return Exec(component, [*found["command"][:-1], "the-host"], found["expect"])


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a shell script in the way of a program."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return put


def _run(check: Exec, folder: Path, **environment: str) -> Completed:
    """The command in a shell of this machine, with ``folder`` for its secrets, and the scripts that the container has mounted."""
    import os

    prepared = folder.with_name(f"{folder.name}-prepared")
    prepared.mkdir(exist_ok=True)
    places = {"/run/secrets/gpuaas": str(folder), "/etc/gpuaas/prepare": str(prepared)}
    for script in (Path(__file__).resolve().parents[3] / f"platform/components/{check.component}/kubernetes").glob("*.sh"):
        (prepared / script.name).write_text(script.read_text().replace("/run/secrets/gpuaas", str(folder)))
    argv = [re.sub("|".join(places), lambda found: places[found[0]], part) for part in check.command]
    given = {**environment, "PATH": os.environ["PATH"], "TMPDIR": str(folder)}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=given)
    return Completed(done.stdout, done.stderr, done.returncode)


def test_postgres_is_asked_as_every_role_with_its_mounted_password(tmp_path: Path, programs: Callable[[str, str], None]) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "one_password").write_text("p:a\\ss")
    (secrets / "superuser_password").write_text("plain")
    # Arguments are seen by everybody; the password file is libpq's, which reads \: as a colon and \\ as a backslash.
    keep = f'echo "$@" >> {tmp_path}/asked; cat "$PGPASSFILE" >> {tmp_path}/passwords'
    programs("psql", f'{keep}; stat -c %a "$PGPASSFILE"; echo "x answers"')
    done = _run(own("postgres"), secrets, POSTGRES_PORT="5432")
    assert done.rc == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["600", "x answers"]
    asked = (tmp_path / "asked").read_text()
    assert "--host=the-host --port=5432 --username=one --dbname=one" in asked
    assert "--host=/run/postgresql --port=5432 --username=postgres --dbname=postgres" in asked
    assert "plain" not in asked and "a\\" not in asked
    assert (tmp_path / "passwords").read_text() == "*:*:*:*:plain*:*:*:*:p\\:a\\\\ss"
    assert {file.name for file in secrets.iterdir()} == {"one_password", "superuser_password"}
    programs("psql", "exit 2")
    assert _run(own("postgres"), secrets, POSTGRES_PORT="5432").rc == 2


def test_redis_is_written_and_read_with_its_mounted_password(tmp_path: Path, programs: Callable[[str, str], None]) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for user in ("admin", "client"):
        (secrets / f"{user}_password").write_text(f"hush-{user}")
    programs("valkey-cli", f'echo "$REDISCLI_AUTH: $@" >> {tmp_path}/asked; case "$*" in *GET*) echo answers;; *) echo OK;; esac')
    check = own("redis")
    done = _run(check, secrets, REDIS_PORT="6379")
    assert done.rc == 0, done.stderr
    assert done.stdout == "OK\nOK\nOK\nanswers\nOK\n"
    asked = [line.partition(": ") for line in (tmp_path / "asked").read_text().splitlines()]
    assert [password for password, _separator, _rest in asked] == ["hush-admin", "hush-client", *["hush-admin"] * 3]
    assert all(f"--user {password[5:]} -h the-host -p 6379 " in rest and "hush" not in rest for password, _separator, rest in asked)
    programs("valkey-cli", "echo refused >&2; exit 1")
    assert _run(check, secrets, REDIS_PORT="6379").rc == 1
