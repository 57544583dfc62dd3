"""A process that comes before the server of its secrets waits, says for what, and goes on by itself."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gpuaas import waiting
from gpuaas.settings import ConfigurationError, NotYetError
from support.ports import free_port
from support.processes import wait_for

AWAY = "secret x cannot be read: GPUAAS_SECRETS_SOURCE does not answer (ConnectionError)"
REFUSED = "secret x cannot be read: GPUAAS_SECRETS_SOURCE refuses our machine identity (401)"


@dataclass
class Source:
    """Raises ``fault`` while there is one."""

    fault: ConfigurationError | None = None

    def read(self) -> str:
        if self.fault:
            raise self.fault
        return "hunter2"


@dataclass(frozen=True)
class Settings:
    probe_port: int
    log_level: str = "info"


@pytest.fixture
def settings() -> Settings:
    return Settings(free_port())


def probe(settings: Settings, name: str) -> httpx.Response | None:
    try:
        return httpx.get(f"http://127.0.0.1:{settings.probe_port}/healthz/{name}", trust_env=False)
    except httpx.TransportError:
        return None


@contextmanager
def beside(does: Callable[[], Any]) -> Iterator[None]:
    """``does`` in a thread: who waits wants the main one, for its signals. Where it fails, who waits is told to stop."""

    def run() -> None:
        try:
            does()
        except BaseException:
            os.kill(os.getpid(), signal.SIGTERM)
            raise

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(run)
        yield
        done.result()


def says(settings: Settings, fault: str) -> Callable[[], bool]:
    """Whether it is live, and not ready for that reason."""

    def asked() -> bool:
        live, ready = probe(settings, "live"), probe(settings, "ready")
        if not (live and ready and live.status_code == 200):
            return False
        assert ready.status_code == 503
        return bool(ready.json() == {"status": "not ready", "missing": {"secrets": fault}})

    return asked


def test_who_need_not_wait_does_not(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    assert waiting.until(Source().read, settings) == "hunter2"
    assert not caplog.records


@pytest.mark.parametrize(("refused", "fault"), [(False, AWAY), (True, REFUSED)])
def test_it_waits_and_names_for_what(settings: Settings, refused: bool, fault: str) -> None:
    source = Source(NotYetError(fault, refused))

    def then() -> None:
        wait_for(says(settings, fault), fault)
        source.fault = None

    with beside(then):
        assert waiting.until(source.read, settings) == "hunter2"
    assert probe(settings, "live") is None


def test_the_reason_is_that_of_the_last_attempt(settings: Settings) -> None:
    source = Source(NotYetError(AWAY, refused=False))

    def then() -> None:
        wait_for(says(settings, AWAY), AWAY)
        source.fault = NotYetError(REFUSED, refused=True)
        wait_for(says(settings, REFUSED), REFUSED)
        source.fault = None

    with beside(then):
        waiting.until(source.read, settings)


def test_what_time_does_not_mend_ends_it(settings: Settings) -> None:
    source = Source(NotYetError(AWAY, refused=False))

    def then() -> None:
        wait_for(says(settings, AWAY), AWAY)
        source.fault = ConfigurationError("secret x is missing from GPUAAS_SECRETS_SOURCE")

    with beside(then), pytest.raises(ConfigurationError, match="is missing"):
        waiting.until(source.read, settings)


def test_who_is_refused_for_long_ends_and_who_has_no_answer_does_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "REFUSED_SECONDS", 0)
    monkeypatch.setattr(waiting, "LAST_RETRY_SECONDS", 0.01)
    asked: list[None] = []
    source = Source(NotYetError(AWAY, refused=False))

    def read() -> str:
        asked.append(None)
        return source.read()

    def then() -> None:
        wait_for(lambda: len(asked) > 5, "attempts")
        source.fault = NotYetError(REFUSED, refused=True)

    with beside(then), pytest.raises(NotYetError, match=r"refuses our machine identity \(401\)"):
        waiting.until(read, settings)


def test_it_ends_when_it_is_told_to(settings: Settings) -> None:
    source = Source(NotYetError(AWAY, refused=False))

    def then() -> None:
        wait_for(says(settings, AWAY), AWAY)
        os.kill(os.getpid(), signal.SIGTERM)

    with beside(then), pytest.raises(waiting.Stopped) as ended:
        waiting.until(source.read, settings)
    assert ended.value.code == 0


def test_on_a_socket_that_somebody_else_goes_on_with(settings: Settings) -> None:
    """As a child of --reload, whose parent holds the sockets."""
    source = Source(NotYetError(AWAY, refused=False))

    def then() -> None:
        wait_for(says(settings, AWAY), AWAY)
        source.fault = None

    with socket.create_server(("127.0.0.1", settings.probe_port)) as held:
        with beside(then):
            waiting.until(source.read, settings, held.dup())
        with socket.create_connection(held.getsockname(), timeout=5) as ours, held.accept()[0] as theirs:
            assert theirs.getpeername() == ours.getsockname()


def test_a_command_waits_briefly() -> None:
    faults: list[Exception] = [NotYetError(AWAY, refused=False)] * 2

    def read() -> str:
        if faults:
            raise faults.pop()
        return "hunter2"

    assert waiting.briefly(read) == "hunter2"


@pytest.mark.parametrize("fault", [NotYetError(AWAY, refused=False), ConfigurationError("secret x is missing")])
def test_a_command_gives_up(fault: ConfigurationError) -> None:
    with pytest.raises(type(fault), match=str(fault).split("(", maxsplit=1)[0]):
        waiting.briefly(Source(fault).read, seconds=0)
