"""The two actions through Ansible itself: what they return, when they fail, what they write, what they show."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import contract, realm
from ansible_collections.gpuaas.parity.tests.unit.checks.written import entry, small_platform
from ansible_collections.gpuaas.parity.tests.unit.kube.pki import kubeconfig

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


PROOFS = (("ready", "up"), ("ingress", "up"), ("config", "validate"))


def write_checks(site: Path, *ports: int) -> None:
    """The component's checks are open ports."""
    given = [
        entry(id=f"api-{proves}", proves=proves, phase=phase, type="tcp", host="127.0.0.1", port=port, gate=None, ungated="a test")
        for (proves, phase), port in zip(PROOFS, ports, strict=True)
    ]
    small_platform(site / "platform", given)


@pytest.fixture
def site(state_dir: Path, port: int) -> Path:
    """A state directory of a platform with one component, whose checks are three open ports."""
    document = contract(port)
    document["services"] = {"api": document["services"]["api"]}
    (state_dir / "rendered").mkdir()
    (state_dir / "rendered" / "contract.json").write_text(json.dumps(document))
    (state_dir / "rendered" / "realm.json").write_text(json.dumps(realm(port)))
    (state_dir / "kubeconfig").write_text(yaml.safe_dump(kubeconfig("https://127.0.0.1:1")))
    write_checks(state_dir, port, port, port)
    return state_dir


def play(site: Path, action: str, *options: str, **params: Any) -> tuple[int, dict[str, Any], str]:
    """Run one task with the project's own callback; its exit status, its result, and what was shown."""
    given = {"kubeconfig": str(site / "kubeconfig"), "state_dir": str(site), **params}
    if action in ("probe", "drift_info"):
        given = {"platform": str(site / "platform"), **given}
    given = {key: value for key, value in given.items() if value is not None}
    task = {"name": "Look", f"gpuaas.parity.{action}": given, "register": "found", "ignore_errors": True}
    keep = {"name": "Keep", "ansible.builtin.copy": {"content": "{{ found | to_json }}", "dest": f"{site}/found.json"}, "check_mode": False}
    plays = [{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": [task, keep]}]
    (site / "play.yml").write_text(yaml.safe_dump(plays))
    interpreter = f"ansible_python_interpreter={sys.executable}"
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", "-e", interpreter, *options]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "HOME": str(site)}
    done = subprocess.run([*command, str(site / "play.yml")], capture_output=True, text=True, env=environment, cwd=site, check=False)
    assert (site / "found.json").exists(), done.stdout + done.stderr
    return done.returncode, json.loads((site / "found.json").read_text()), done.stdout


def verdict(shown: str) -> dict[str, Any]:
    """The last event of a run that was shown as JSON."""
    found: dict[str, Any] = json.loads(shown.splitlines()[-1])
    assert found["event"] == "verdict"
    return found


def test_checks_that_hold_are_reported(site: Path) -> None:
    _rc, found, shown = play(site, "probe", report="validate")
    assert (found["failed_checks"], found["changed"]) == ([], False), shown
    assert [check["id"] for check in found["checks"]] == ["api-ready", "api-ingress", "api-config"]
    assert [Path(path).name for path in found["reports"]] == ["validate.junit.xml", "validate.json"]
    assert json.loads((site / "reports" / "validate.json").read_text())["ok"] is True
    assert "api-ready: ok" in Path(found["log"]).read_text()
    assert "3 checks  ready, ingress, config" in shown


def test_up_makes_its_own_checks_only_and_writes_no_report(site: Path) -> None:
    _rc, found, _shown = play(site, "probe", phase="up", timeout=20)
    assert [check["id"] for check in found["checks"]] == ["api-ready", "api-ingress"]
    assert found["reports"] == []


def test_drift_that_cannot_be_looked_for_is_a_failure(site: Path, port: int) -> None:
    _rc, found, _shown = play(site, "drift_info")
    assert (found["failed"], found["reason"]) == (True, "CHECK_MISSING")
    given = [
        entry(id=f"api-{proves}", proves=proves, phase=phase, type="tcp", host="127.0.0.1", port=port, gate=None, ungated="a test")
        for proves, phase in PROOFS
    ]
    own = entry(id="drift", proves="config", phase="validate", type="drift", targets=["kubernetes"], gate=None, ungated="a test")
    small_platform(site / "platform", [*given, own])
    # There is a kubeconfig, and no record of a cluster of ours.
    _rc, found, _shown = play(site, "drift_info")
    assert (found["failed"], found["rows"]) == (True, [])
    assert found["reason"] in ("CLUSTER_ABSENT", "CONTRACT_NOT_RENDERED")


@pytest.mark.parametrize("check_mode", [False, True])
def test_checks_that_do_not_hold(site: Path, port: int, check_mode: bool) -> None:
    write_checks(site, 1, port, port)
    options = ["--check"] if check_mode else []
    _rc, found, _shown = play(site, "probe", *options, timeout=1.5, report="up")
    assert found["failed_checks"] == ["api-ready"]
    if check_mode:
        assert not found.get("failed")
        assert found["checks"][0]["reason"] == "PORT_CLOSED"
        assert found["checks"][0]["attempts"] == 1
        assert not (site / "reports").exists()
    else:
        assert found["reason"] == "READY_TIMEOUT"
        assert found["msg"].startswith("READY_TIMEOUT: api-ready: not ready after 1.5 s; last seen: 127.0.0.1:1:")
        assert found["checks"][0]["attempts"] > 1
        assert json.loads((site / "reports" / "up.json").read_text())["failures"] == 1


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"platform": "/nonexistent"}, "PLATFORM_MISSING"),
        ({"components": ["nope"]}, "CHECKS_INVALID"),
        ({"kubeconfig": "/nonexistent"}, "CLUSTER_ABSENT"),
        ({"contract": {**contract(1), "target": "gitops"}}, "MODE_TARGET_REFUSED"),
        ({"platform": str(ROOT / "platform"), "components": ["api"]}, "CHECKS_INVALID"),
    ],
)
def test_a_probe_that_cannot_begin(site: Path, params: dict[str, Any], reason: str) -> None:
    _rc, found, _shown = play(site, "probe", **params)
    assert (found["failed"], found["reason"]) == (True, reason)


def test_a_gate_that_there_is_not_is_found_before_it_is_passed(site: Path) -> None:
    given = [entry(id=f"api-{proves}", proves=proves, phase=phase, gate="nope") for proves, phase in PROOFS]
    small_platform(site / "platform", given)
    _rc, found, _shown = play(site, "probe")
    assert (found["failed"], found["reason"]) == (True, "GATE_INVALID")
    assert "platform/components/api/checks.yml: 0.gate" in found["seen"]


def test_the_status_of_nothing_is_json_for_a_machine(site: Path) -> None:
    _rc, found, shown = play(site, "platform_status_info", "-e", "parity_output=json", cluster="gpuaas-parity-none")
    assert (found["failed"], found["ready"]) == (True, False)
    assert found["reason"] in ("CLUSTER_ABSENT", "HOST_DOCKER_MISSING", "HOST_DOCKER_UNREACHABLE", "HOST_DOCKER_PERMISSION")
    assert verdict(shown)["document"]["reason"] == found["reason"]


# -- a Compose project ----------------------------------------------------------------


@pytest.fixture
def local(site: Path) -> Path:
    """The same site as a Compose project: its contract says so, and there is no kubeconfig."""
    (site / "kubeconfig").unlink()
    file = site / "rendered" / "contract.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "mode": "compose", "target": "compose", "project": "gpuaas-no-such"}))
    return site


def test_a_project_is_proved_without_a_kubeconfig(local: Path) -> None:
    _rc, found, shown = play(local, "probe", kubeconfig=None)
    assert (found["failed_checks"], found["changed"]) == ([], False), shown


def test_what_to_type_is_in_the_words_of_the_mode_wherever_it_is_shown(local: Path) -> None:
    write_checks(local, 1, 1, 1)
    params = {"kubeconfig": None, "report": "validate"}
    _rc, found, shown = play(local, "probe", "-e", "parity_target=compose", **params)
    assert found["do"] == "make local-dev-status"
    everything = json.dumps(found) + shown + "".join(path.read_text() for path in (local / "reports").iterdir())
    assert "local-dev-status" in everything
    assert "kind-parity" not in everything


def test_the_status_of_no_project(local: Path) -> None:
    options = ["-e", "parity_output=json", "-e", "parity_target=compose"]
    (local / "rendered" / "contract.json").unlink()
    _rc, found, shown = play(local, "platform_status_info", *options, kubeconfig=None)
    assert (found["failed"], found["reason"], found["do"]) == (True, "PROJECT_ABSENT", "make local-dev-up")
    assert verdict(shown)["document"]["do"] == "make local-dev-up"


def test_logs_and_bundles_need_a_kubeconfig_of_a_cluster_only(site: Path, local: Path) -> None:
    file = local / "rendered" / "contract.json"
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "target": "kubernetes"}))
    _rc, found, _shown = play(local, "component_logs_info", kubeconfig=None)
    assert found["reason"] == "KUBECONFIG_INVALID"
    file.write_text(json.dumps(document))
    _rc, found, _shown = play(local, "component_logs_info", kubeconfig=None)
    assert found["reason"] in ("PROJECT_ABSENT", "HOST_DOCKER_MISSING", "HOST_DOCKER_UNREACHABLE", "HOST_DOCKER_PERMISSION")
    _rc, found, _shown = play(local, "diagnosis_bundle", kubeconfig=None, verb="up", each=5.0)
    assert "project" in [row["what"] for row in found.get("missed", [])] or found["problem"]


# -- gates ------------------------------------------------------------------------------


@pytest.fixture(params=load_platform(ROOT / "platform").contract.lanes)
def gated(request: pytest.FixtureRequest, site: Path) -> Path:
    """A site with the real contract of mode kind rendered, of which nothing is up."""
    document = render(ROOT / "platform", "kind", request.param).contract
    (site / "rendered" / "contract.json").write_text(json.dumps(document))
    (site / "kubeconfig").unlink()
    (site / "reports").mkdir()
    (site / "reports" / "gate.json").write_text('{"ok": true}')
    return site


GATE = {"platform": str(ROOT / "platform"), "gate": "merge", "report": "gate"}


def test_a_gate_of_a_platform_that_is_not_up(gated: Path) -> None:
    _rc, found, _shown = play(gated, "probe", **GATE)
    assert (found["failed"], found["reason"], found["do"]) == (True, "GATE_NOT_RUN", "make kind-parity-up")
    assert "CLUSTER_ABSENT" in found["seen"]
    assert len(found["failed_checks"]) == len(found["checks"]) > 30
    report = json.loads((gated / "reports" / "gate.json").read_text())
    assert (report["ok"], report["gate"], report["failures"]) == (False, "merge", report["tests"])
    assert "images-pinned" not in found["failed_checks"]
    assert "make kind-parity-up" in found["msg"]


def test_a_gate_that_cannot_begin_leaves_no_green_report(gated: Path) -> None:
    _rc, found, _shown = play(gated, "probe", **{**GATE, "platform": "/nonexistent"})
    assert (found["failed"], found["reason"]) == (True, "PLATFORM_MISSING")
    report = json.loads((gated / "reports" / "gate.json").read_text())
    assert (report["ok"], report["checks"][0]["reason"]) == (False, "PLATFORM_MISSING")
