"""Which logs are shown, and that no program is left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis import component_logs
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.component_logs import (
    Source,
    choose,
    of_containers,
    of_pods,
    show_logs,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.checks.containers import container, docker_of

CONTRACT = {"services": {"traefik": {"namespace": "gpuaas-ingress"}, "api": {"namespace": "gpuaas-control-plane"}}}


def test_all_components_in_the_order_of_the_contract() -> None:
    assert choose(CONTRACT, "") == ["traefik", "api"]


def test_one_component() -> None:
    assert choose(CONTRACT, "api") == ["api"]


def test_what_the_surroundings_provide_has_no_logs_here() -> None:
    contract = {"services": {**CONTRACT["services"], "coredns": {"provided_by": "Docker's embedded DNS"}}}
    assert choose(contract, "") == ["traefik", "api"]
    with pytest.raises(ParityError, match="COMPONENT_UNKNOWN"):
        choose(contract, "coredns")


def test_an_unknown_component_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ParityError) as caught:
        choose(CONTRACT, "apl")
    assert caught.value.reason == "COMPONENT_UNKNOWN"
    assert "api, traefik" in caught.value.seen
    assert caught.value.details["known"] == ["api", "traefik"]


def test_a_contract_without_services_is_refused() -> None:
    with pytest.raises(ParityError) as caught:
        choose({}, "")
    assert caught.value.reason == "CONTRACT_NOT_RENDERED"


def test_kubectl_is_told_which_cluster() -> None:
    source = of_pods(Path("/venv/kubectl"), Path("/run/kubeconfig"), "api", "gpuaas-control-plane", follow=True, tail=50)
    assert source.component == "api"
    assert source.argv[:3] == ("/venv/kubectl", "logs", "--kubeconfig=/run/kubeconfig")
    assert "--namespace=gpuaas-control-plane" in source.argv
    assert "--tail=50" in source.argv
    assert source.argv[-1] == "--follow"
    assert "--follow" not in of_pods(Path("k"), Path("c"), "api", "n", follow=False, tail=50).argv


PROJECT = Project(docker_of([container("api"), container("api-migrate"), container("secrets"), container("web")]), "gpuaas-local")


def test_a_projects_jobs_are_shown_under_their_component() -> None:
    sources = of_containers(PROJECT, ["api", "web"], follow=True, tail=20)
    assert [(source.component, source.argv[-1]) for source in sources] == [
        ("api", "id-of-api"),
        ("api", "id-of-api-migrate"),
        ("secrets", "id-of-secrets"),
        ("web", "id-of-web"),
    ]
    assert sources[0].argv[:5] == ("docker", "logs", "--timestamps", "--tail=20", "--follow")


def test_one_component_of_a_project() -> None:
    sources = of_containers(PROJECT, ["api"], follow=False, tail=-1)
    assert [source.argv for source in sources] == [
        ("docker", "logs", "--timestamps", "--tail=all", "id-of-api"),
        ("docker", "logs", "--timestamps", "--tail=all", "id-of-api-migrate"),
    ]


def test_a_project_without_containers_has_no_logs() -> None:
    with pytest.raises(ParityError) as caught:
        of_containers(Project(docker_of([]), "gpuaas-local"), ["api"], follow=False, tail=20)
    assert caught.value.reason == "PROJECT_ABSENT"


def program(component: str, text: str) -> Source:
    return Source(component, (sys.executable, "-c", text))


def test_lines_of_all_components_are_shown_and_counted() -> None:
    shown: list[tuple[str, str]] = []
    sources = [program("api", "print('one'); print('two')"), program("web", "print('three')")]
    count = show_logs(sources, lambda name, text: shown.append((name, text)))
    assert count == {"api": 2, "web": 1}
    assert sorted(shown) == [("api", "one"), ("api", "two"), ("web", "three")]
    assert shown.index(("api", "one")) < shown.index(("api", "two"))


def stamped(*lines: str) -> str:
    return f"print({chr(10).join(lines)!r}, flush=True)"


API = stamped("2026-11-24T10:00:00.2Z first", "  its traceback", "2026-11-24T10:00:03Z last")
WEB = stamped("2026-11-24T10:00:00.19Z earliest", "2026-11-24T12:00:02.000000001+02:00 in between")
IN_ORDER = ["earliest", "first", "  its traceback", "in between", "last"]


def test_lines_of_several_logs_are_in_the_order_of_time() -> None:
    shown: list[str] = []
    show_logs([program("api", API), program("web", WEB)], lambda _name, text: shown.append(text))
    assert shown == IN_ORDER


def test_what_is_followed_begins_in_the_order_of_time_and_goes_on() -> None:
    shown: list[str] = []
    endless = "; import signal; signal.pause()"

    def show(_name: str, text: str) -> None:
        shown.append(text)
        if len(shown) == len(IN_ORDER):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show_logs([program("api", API + endless), program("web", WEB + endless)], show, follow=True)
    assert shown == IN_ORDER


def test_two_programs_of_one_component_are_counted_together() -> None:
    assert show_logs([program("api", "print('one')"), program("api", "print('two')")], lambda _name, _text: None) == {"api": 2}


def test_one_component_that_fails_does_not_hide_the_others() -> None:
    sources = [program("api", "raise SystemExit('no such pod')"), program("web", "print('three')")]
    assert show_logs(sources, lambda _name, _text: None) == {"api": 1, "web": 1}


def test_when_all_fail_what_they_said_is_the_failure() -> None:
    with pytest.raises(ParityError) as caught:
        show_logs([program("api", "raise SystemExit('no such pod')")], lambda _name, _text: None)
    assert caught.value.reason == "LOGS_UNREADABLE"
    assert "api: no such pod" in caught.value.seen


def test_a_program_that_cannot_be_started_is_named() -> None:
    with pytest.raises(ParityError) as caught:
        show_logs([Source("api", ("/nowhere/kubectl",))], lambda _name, _text: None)
    assert caught.value.reason == "COMMAND_MISSING"


def test_an_interrupt_leaves_no_program_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = component_logs.start

    def start(*args: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(real(*args, **options))
        return started[-1]

    monkeypatch.setattr(component_logs, "start", start)

    def interrupt(_name: str, _text: str) -> None:
        raise KeyboardInterrupt

    endless = "import signal; print('first', flush=True); signal.pause()"
    with pytest.raises(KeyboardInterrupt):
        show_logs([program("api", endless), program("web", endless)], interrupt, follow=True)
    assert [process.returncode is not None for process in started] == [True, True]
