"""A server that lies to a member's device: it serves old, swapped, forged and others' envelopes and keys over HTTP.

Whatever it serves, the device refuses it by name; when it tells the truth, the device reads.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from gpuaas.encryption import instance, tenant
from gpuaas.encryption.epoch import Pin
from gpuaas.encryption.reader import Reader
from gpuaas.encryption.refusal import Reason, RefusedError
from support import negatives, of_instances
from support.envelopes import BINDING, ENVIRONMENT, PLAINTEXT, PROJECT, Served, World

WORLD = World()
INSTANCES = of_instances.cases(WORLD)
OTHER = replace(BINDING, event_id="5d1c3f0e-8a5e-4c53-9a53-1a4f2f3f6f02")
# Those in which the device itself is another than a member's: no server does that.
CASES = {name: case for name, case in negatives.cases(WORLD).items() if not name.startswith("read ")}


class Server(ThreadingHTTPServer):
    """Answers every request with ``envelope`` and ``records``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.served = WORLD.served

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        answer = json.dumps({"envelope": self.server.served.envelope, "epochs": self.server.served.records}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *_arguments: object) -> None:
        """Not into the tests' output."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=15) as client:
        yield client


class Device:
    """A member's client: it has a key and a pin, and asks the server for the rest."""

    def __init__(self, server: Server, http: httpx.Client, pin: Pin) -> None:
        self._server, self._http = server, http
        self.reader = Reader(WORLD.carol, PROJECT, pin)

    def open(self, served: Served) -> bytes:
        """What the server has for what ``served`` asks for. Raises RefusedError."""
        self._server.served = served
        answer = self._http.get(self._server.url).json()
        expected = tenant.Expected(served.binding, served.author, served.oldest_epoch)
        return self.reader.open(answer["envelope"], expected, answer["epochs"])


@pytest.fixture
def device(server: Server, http: httpx.Client) -> Device:
    return Device(server, http, WORLD.first.current.pin)


def _refused(device: Device, served: Served) -> Reason:
    with pytest.raises(RefusedError) as refused:
        device.open(served)
    return refused.value.reason


def test_the_truth_is_read(device: Device) -> None:
    assert device.open(WORLD.served) == PLAINTEXT
    assert device.reader.pin == WORLD.chain.current.pin


@pytest.mark.parametrize("name", CASES)
def test_a_lie_is_refused(server: Server, http: httpx.Client, name: str) -> None:
    served, reason = CASES[name]
    assert _refused(Device(server, http, Pin(*served.pin)), served) is reason


@pytest.mark.parametrize("name", INSTANCES)
def test_what_is_asked_for_by_instance_is_that_ones(server: Server, http: httpx.Client, name: str) -> None:
    """The device goes by the id and the name that it asks for, and the server says what it likes."""
    asked = INSTANCES[name]
    device = Device(server, http, WORLD.first.current.pin)

    def opened() -> bytes:
        binding = instance.binding(ENVIRONMENT, PROJECT, asked.instance_id, asked.name)
        return device.open(replace(WORLD.served, envelope=asked.envelope, binding=binding))

    if asked.reason is None:
        assert opened() == PLAINTEXT
    else:
        with pytest.raises(RefusedError) as refused:
            opened()
        assert refused.value.reason is asked.reason


def test_one_record_twice_is_refused_as_a_second_one(device: Device) -> None:
    assert device.open(WORLD.served) == PLAINTEXT
    assert _refused(device, WORLD.served) is Reason.ENVELOPE_REPLAYED
    # Under another id it is not what was asked for.
    assert _refused(device, replace(WORLD.served, binding=OTHER)) is Reason.ENVELOPE_EVENT_ID
    assert device.open(replace(WORLD.served, envelope=WORLD.seal(OTHER), binding=OTHER)) == PLAINTEXT


def test_what_was_refused_may_still_come(device: Device) -> None:
    forged, _reason = CASES["another member signs it in the author's name"]
    assert _refused(device, forged) is Reason.ENVELOPE_SIGNATURE
    assert device.open(WORLD.served) == PLAINTEXT


def test_a_device_is_not_taken_back_to_an_epoch_that_is_over(device: Device) -> None:
    """It was told of the second epoch once. A server that shows it the first one again would have it read what Bob writes."""
    assert device.open(WORLD.served) == PLAINTEXT
    first = replace(
        WORLD.served, records=WORLD.records()[:1], envelope=WORLD.seal(OTHER, WORLD.bob, under=1), binding=OTHER
    )
    assert _refused(device, first) is Reason.EPOCH_ROLLED_BACK
    # A device that never heard of it reads it: that is what a pin cannot know. It is told as soon as another member's pin is compared.
    assert replace(first, key=WORLD.alice.agree).opened() == PLAINTEXT


def test_a_device_is_not_led_onto_a_fork(device: Device) -> None:
    assert device.open(WORLD.served) == PLAINTEXT
    forked, reason = CASES["a fork by who was removed later"]
    assert _refused(device, replace(forked, binding=OTHER)) is reason is Reason.EPOCH_PIN
