"""A member's device on the command line, from a new key file to what another member reads."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gpuaas.cli import main

NAME, INSTANCE = "training-1", "5d1c3f0e-8a5e-4c53-9a53-1a4f2f3f6f01"
PLAINTEXT = b"#!/bin/sh\ntrain --token hf_secret\n"


class Devices:
    """Alice's and Bob's devices, and what the server keeps: the records of project atlas."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        self.folder, self._monkeypatch, self._captured = folder, monkeypatch, capsysbinary
        self.records: list[str] = []
        self.said = ""

    def run(self, command: str, *arguments: str, stdin: bytes = b"", status: int = 0) -> bytes:
        """What it printed; ``said`` is what it said of what went wrong."""
        (self.folder / "epochs.json").write_text(json.dumps({"project": "atlas", "records": self.records}))
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        assert main([command, "--environment", "gpuaas.localhost", *arguments]) == status
        out, err = self._captured.readouterr()
        self.said = err.decode()
        return out

    def member(self, name: str) -> None:
        out = self.run("member", "--key", self.path(f"{name}.key"), "--name", name)
        (self.folder / f"{name}.public").write_bytes(out)

    def _of(self, name: str, project: str = "atlas") -> list[str]:
        return ["--key", self.path(f"{name}.key"), "--pin", self.path(f"{name}.pin"), "--project", project]

    def begin(self, name: str, *others: str) -> None:
        """The project's next epoch."""
        named = [part for other in others for part in ("--member", self.path(f"{other}.public"))]
        epochs = ["--epochs", self.path("epochs.json")] if self.records else []
        self.records.append(self.run("epoch", *self._of(name), *named, *epochs).decode().strip())

    def seal(self, name: str, stdin: bytes = PLAINTEXT, status: int = 0) -> bytes:
        arguments = [*self._of(name), "--epochs", self.path("epochs.json"), "--name", NAME]
        return self.run("seal", *arguments, stdin=stdin, status=status)

    def open(self, name: str, sealed: bytes, *more: str, project: str = "atlas", status: int = 0) -> bytes:
        asked = ["--instance", json.loads(sealed).get("instance_id", INSTANCE), "--name", NAME]
        arguments = [*self._of(name, project), "--epochs", self.path("epochs.json"), *asked, *more]
        return self.run("open", *arguments, stdin=sealed, status=status)

    def refused(self, name: str, sealed: bytes, *more: str, project: str = "atlas") -> str:
        """The reason for which nothing was opened."""
        assert self.open(name, sealed, *more, project=project, status=65) == b""
        assert "\n  -> " in self.said
        return self.said.removeprefix("gpuaas open: ").partition(":")[0]

    def path(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Devices:
    """Alice founded the project with Bob in it, and told him its pin."""
    made = Devices(tmp_path, monkeypatch, capsysbinary)
    made.member("alice")
    made.member("bob")
    made.begin("alice", "bob")
    (tmp_path / "bob.pin").write_bytes((tmp_path / "alice.pin").read_bytes())
    return made


def test_one_seals_and_another_opens(devices: Devices) -> None:
    sealed = devices.seal("alice")
    assert json.loads(sealed).keys() == {"instance_id", "envelope"}
    assert devices.open("bob", sealed) == PLAINTEXT
    alice = json.loads((devices.folder / "alice.public").read_text())
    assert devices.refused("bob", sealed, "--author", alice["sign"]["x"]) == "envelope_author"
    assert devices.refused("bob", sealed, "--name", "No name") == "binding_invalid"
    assert devices.refused("bob", sealed, project="borealis") == "epoch_project"
    assert devices.refused("bob", b"{}") == "envelope_malformed"


def test_what_is_of_another_instance_is_refused(devices: Devices) -> None:
    """A server sends what is private of one instance where another one is asked for, and says that it is that one's."""
    mine, other = devices.seal("alice"), devices.seal("alice", b"rm -rf /")
    lie = json.dumps({**json.loads(other), "instance_id": json.loads(mine)["instance_id"]}).encode()
    assert devices.refused("bob", lie) == "envelope_event_id"
    assert devices.refused("bob", other, "--name", "training-2") == "envelope_event_id"
    assert devices.open("bob", other) == b"rm -rf /"


def test_who_is_left_out_of_the_next_epoch_reads_and_writes_no_more(devices: Devices) -> None:
    old = devices.seal("bob")
    devices.begin("alice")
    new = devices.seal("alice")
    assert devices.refused("bob", new) == "epoch_recipient"
    assert devices.open("alice", new) == PLAINTEXT
    assert devices.refused("alice", devices.seal("bob")) == "envelope_author"
    assert devices.refused("alice", old) == "envelope_epoch_stale"
    assert devices.open("alice", old, "--oldest-epoch", "1") == PLAINTEXT


def test_the_pin_goes_on_and_not_back(devices: Devices) -> None:
    devices.begin("alice", "bob")
    devices.open("bob", devices.seal("alice"))
    assert json.loads((devices.folder / "bob.pin").read_text())["number"] == 2
    newest = devices.records.pop()
    devices.seal("bob", status=65)
    assert "epoch_rolled_back" in devices.said
    devices.records.append(newest)
    assert devices.seal("bob")


def test_a_pin_is_not_replaced_by_a_new_project(devices: Devices) -> None:
    devices.records = []
    kept = (devices.folder / "alice.pin").read_text()
    devices.run("epoch", *devices._of("alice"), status=65)
    assert "is there already" in devices.said
    assert (devices.folder / "alice.pin").read_text() == kept


def test_a_key_file_is_not_replaced(devices: Devices) -> None:
    kept = (devices.folder / "alice.key").read_bytes()
    devices.run("member", "--key", devices.path("alice.key"), "--name", "alice", status=65)
    assert (devices.folder / "alice.key").read_bytes() == kept


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.chmod(0o644), "key_file_open_to_others"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "key_file_malformed"),
        (lambda path: path.write_text(path.read_text().replace("gpuaas.localhost", "other")), "key_file_environment"),
        (lambda path: path.unlink(), "key_file_missing"),
    ],
)
def test_a_key_file_that_is_not_as_it_should_be_opens_nothing(devices: Devices, damage: Any, reason: str) -> None:
    sealed = devices.seal("alice")
    damage(devices.folder / "bob.key")
    assert devices.refused("bob", sealed) == reason


@pytest.mark.parametrize("text", ["", "{}", '{"number": 0, "digest": "x"}', '{"number": 1}'])
def test_without_a_pin_nothing_is_believed(devices: Devices, text: str) -> None:
    sealed = devices.seal("alice")
    (devices.folder / "bob.pin").write_text(text)
    assert devices.refused("bob", sealed) in {"epoch_pin", "epoch_malformed"}


def test_too_much_is_not_sealed(devices: Devices) -> None:
    assert devices.seal("alice", bytes(40_000), status=65) == b""
    assert "envelope_oversize" in devices.said


def test_a_name_that_nobody_may_have_is_refused(devices: Devices) -> None:
    devices.run("member", "--key", devices.path("x.key"), "--name", "a b", status=65)
    assert not (devices.folder / "x.key").exists()
