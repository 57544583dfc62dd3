"""Which logs are shown, how a line looks, and that no program is left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis import component_logs
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.component_logs import (
    Component,
    choose,
    command,
    label,
    show_logs,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

CONTRACT = {"services": {"traefik": {"namespace": "gpuaas-ingress"}, "api": {"namespace": "gpuaas-control-plane"}}}
API, WEB = Component("api", "gpuaas-control-plane"), Component("web", "gpuaas-control-plane")


def test_all_components_in_the_order_of_the_contract() -> None:
    assert choose(CONTRACT, "") == [Component("traefik", "gpuaas-ingress"), API]


def test_one_component() -> None:
    assert choose(CONTRACT, "api") == [API]


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
    argv = command(Path("/venv/kubectl"), Path("/run/kubeconfig"), API, follow=True, tail=50)
    assert argv[:3] == ["/venv/kubectl", "logs", "--kubeconfig=/run/kubeconfig"]
    assert "--namespace=gpuaas-control-plane" in argv
    assert "--tail=50" in argv
    assert argv[-1] == "--follow"
    assert "--follow" not in command(Path("k"), Path("c"), API, follow=False, tail=50)


def test_lines_are_aligned() -> None:
    assert label("api", 7, "ready") == "api     | ready"


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_lines_of_all_components_are_shown_and_counted() -> None:
    shown: list[tuple[str, str]] = []
    programs = {"api": program("print('one'); print('two')"), "web": program("print('three')")}
    count = show_logs([API, WEB], lambda c: programs[c.name], lambda name, text: shown.append((name, text)))
    assert count == {"api": 2, "web": 1}
    assert sorted(shown) == [("api", "one"), ("api", "two"), ("web", "three")]
    assert shown.index(("api", "one")) < shown.index(("api", "two"))


def test_one_component_that_fails_does_not_hide_the_others() -> None:
    programs = {"api": program("raise SystemExit('no such pod')"), "web": program("print('three')")}
    count = show_logs([API, WEB], lambda c: programs[c.name], lambda _name, _text: None)
    assert count == {"api": 1, "web": 1}


def test_when_all_fail_what_they_said_is_the_failure() -> None:
    with pytest.raises(ParityError) as caught:
        show_logs([API], lambda _c: program("raise SystemExit('no such pod')"), lambda _name, _text: None)
    assert caught.value.reason == "KUBE_API_REFUSED"
    assert "no such pod" in caught.value.seen


def test_without_kubectl_the_reason_says_so() -> None:
    with pytest.raises(ParityError) as caught:
        show_logs([API], lambda _c: ["/nowhere/kubectl"], lambda _name, _text: None)
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

    endless = program("import signal; print('first', flush=True); signal.pause()")
    with pytest.raises(KeyboardInterrupt):
        show_logs([API, WEB], lambda _c: endless, interrupt)
    assert [process.returncode is not None for process in started] == [True, True]
