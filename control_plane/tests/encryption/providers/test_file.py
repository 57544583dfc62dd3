"""A root key in a file: what is refused, what a crash leaves, and that nothing tells the key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gpuaas
from gpuaas.encryption.providers import parse, provider_of, unneeded
from gpuaas.encryption.providers.file import FileKeyProvider
from gpuaas.encryption.providers.keyring import Keyring
from gpuaas.encryption.providers.keyring_file import FILE_BYTES, locked, read
from gpuaas.encryption.providers.wrapped import Wrapped
from gpuaas.encryption.refusal import Reason, RefusedError
from support.roots import ENVIRONMENT, created

KEY = bytes(range(32))
K1, K2 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def _provider(path: Path) -> FileKeyProvider:
    return FileKeyProvider(path, ENVIRONMENT)


def _refused(path: Path, reason: Reason) -> None:
    """Every call is refused, and changes nothing."""
    provider, before = _provider(path), _beside(path)
    for call in (provider.public, provider.rotate, lambda: provider.wrap(KEY, {})):
        with pytest.raises(RefusedError) as caught:
            call()
        assert caught.value.reason is reason
        assert str(path) in caught.value.seen
    assert _beside(path) == before


def _beside(path: Path) -> list[Path]:
    return sorted(one for one in path.parent.iterdir() if not one.name.endswith(".lock"))


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o660, 0o666, 0o777])
def test_open_to_others(keyring: Path, mode: int) -> None:
    keyring.chmod(mode)
    _refused(keyring, Reason.ROOT_FILE_OPEN_TO_OTHERS)


@pytest.mark.parametrize(
    ("mode", "fine"), [(0o440, True), (0o400, True), (0o640, True), (0o460, False), (0o444, False), (0o441, False)]
)
def test_delivered_to_our_group(keyring: Path, mode: int, fine: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an orchestrator mounts secrets: another owner, and our group reads."""
    keyring.chmod(mode)
    monkeypatch.setattr(os, "geteuid", lambda: keyring.stat().st_uid + 1)
    if fine:
        assert _provider(keyring).public().primary == "1"
        return
    with pytest.raises(RefusedError) as caught:
        _provider(keyring).public()
    assert caught.value.reason is Reason.ROOT_FILE_OPEN_TO_OTHERS


def test_every_truncation(keyring: Path) -> None:
    _provider(keyring).rotate()
    text = keyring.read_bytes()
    # All but the newline is whole.
    for end in range(len(text) - 1):
        keyring.write_bytes(text[:end])
        with pytest.raises(RefusedError) as caught:
            read(keyring, ENVIRONMENT)
        assert caught.value.reason is Reason.ROOT_FILE_MALFORMED
    _refused(keyring, Reason.ROOT_FILE_MALFORMED)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        "{}",
        "[" * 60000,
        '{"primary": 1e999, "keys": {}}',
        '{"primary": 1}',
        '{"primary": 1, "keys": {}}',
        '{"primary": 1, "keys": []}',
        f'{{"primary": 2, "keys": {{"1": "{K1}"}}}}',
        f'{{"primary": "1", "keys": {{"1": "{K1}"}}}}',
        f'{{"primary": true, "keys": {{"1": "{K1}"}}}}',
        f'{{"primary": 1.0, "keys": {{"1": "{K1}"}}}}',
        f'{{"primary": 1, "keys": {{"1": "{K1}", "1": "{K2}"}}}}',
        f'{{"primary": 1, "keys": {{"1": "{K1}", "2": "{K1}"}}}}',
        f'{{"primary": 1, "keys": {{"01": "{K1}"}}}}',
        f'{{"primary": 1, "keys": {{"0": "{K1}", "1": "{K2}"}}}}',
        f'{{"primary": 1, "keys": {{"1": "{K1[:-4]}"}}}}',
        f'{{"primary": 1, "keys": {{"1": "{K1[:-2]}B="}}}}',
        f'{{"primary": 1, "keys": {{"1": " {K1}"}}}}',
        '{"primary": 1, "keys": {"1": 1}}',
        f'{{"primary": 1, "keys": {{"1": "{K1}"}}, "more": 1}}',
        f'{{"primary": 1, "keys": {{"1": "{K1}"}}, "environment": 1}}',
        f'{{"primary": 1, "keys": {{"1": "{K1}"}}}}' + " " * FILE_BYTES,
    ],
)
def test_no_keyring(keyring: Path, text: str) -> None:
    keyring.write_text(text)
    _refused(keyring, Reason.ROOT_FILE_MALFORMED)


def test_no_text(keyring: Path) -> None:
    keyring.write_bytes(keyring.read_text().encode("utf-16"))
    _refused(keyring, Reason.ROOT_FILE_MALFORMED)


def test_as_the_platform_delivers_it(keyring: Path) -> None:
    """Without an environment, as the secrets of a run are."""
    keyring.write_text(f'{{"primary": 2, "keys": {{"1": "{K1}", "2": "{K2}"}}}}')
    provider = _provider(keyring)
    assert provider.public().versions == ("1", "2")
    assert provider.unwrap(provider.wrap(KEY, {}), {}) == KEY


def test_of_another_environment(keyring: Path) -> None:
    keyring.write_text(json.dumps(json.loads(keyring.read_text()) | {"environment": "gpuaas.demo.localhost"}))
    _refused(keyring, Reason.ROOT_FILE_ENVIRONMENT)


def test_gone_while_data_needs_it(keyring: Path) -> None:
    wrapped = _provider(keyring).wrap(KEY, {})
    kept = keyring.read_bytes()
    keyring.unlink()
    _refused(keyring, Reason.ROOT_FILE_MISSING)
    with pytest.raises(RefusedError) as caught:
        _provider(keyring).unwrap(wrapped, {})
    assert caught.value.reason is Reason.ROOT_FILE_MISSING
    keyring.write_bytes(kept)
    keyring.chmod(0o600)
    assert _provider(keyring).unwrap(wrapped, {}) == KEY


def test_another_keyring_with_the_same_version(keyring: Path, tmp_path: Path) -> None:
    wrapped = _provider(keyring).wrap(KEY, {})
    keyring.write_bytes(created(tmp_path / "new.json").read_bytes())
    with pytest.raises(RefusedError) as caught:
        _provider(keyring).unwrap(wrapped, {})
    assert caught.value.reason is Reason.ROOT_ANOTHER


def test_a_version_that_was_taken_out(keyring: Path) -> None:
    wrapped = _provider(keyring).wrap(KEY, {})
    _provider(keyring).rotate()
    ring = json.loads(keyring.read_text())
    del ring["keys"]["1"]
    keyring.write_text(json.dumps(ring))
    with pytest.raises(RefusedError) as caught:
        _provider(keyring).unwrap(wrapped, {})
    assert caught.value.reason is Reason.ROOT_VERSION_MISSING


@pytest.mark.parametrize("what", ["directory", "pipe", "circle"])
def test_no_file(tmp_path: Path, what: str) -> None:
    path = tmp_path / "root.json"
    match what:
        case "directory":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case _:
            path.symlink_to(path)
    _refused(path, Reason.ROOT_FILE_UNREADABLE)


def test_created_once(keyring: Path) -> None:
    before = keyring.read_bytes()
    with pytest.raises(RefusedError) as caught:
        _provider(keyring).create()
    assert caught.value.reason is Reason.ROOT_FILE_EXISTS
    assert keyring.read_bytes() == before
    assert keyring.stat().st_mode & 0o777 == 0o600


def test_two_rotations(keyring: Path) -> None:
    before = keyring.read_bytes()
    with locked(keyring), pytest.raises(RefusedError) as caught:
        _provider(keyring).rotate()
    assert caught.value.reason is Reason.ROOT_ROTATION_BUSY
    assert keyring.read_bytes() == before
    assert _provider(keyring).rotate().versions == ("1", "2")


@pytest.mark.parametrize("blocked", ["new", "lock"])
def test_not_to_be_written(keyring: Path, blocked: str) -> None:
    """As in a volume that others deliver; nothing is written through a link that somebody left."""
    before, elsewhere = keyring.read_bytes(), keyring.with_name("elsewhere")
    keyring.with_name(f".{keyring.name}.{blocked}").unlink(missing_ok=True)
    keyring.with_name(f".{keyring.name}.{blocked}").symlink_to(elsewhere)
    with pytest.raises(RefusedError) as caught:
        _provider(keyring).rotate()
    assert caught.value.reason is Reason.ROOT_FILE_UNWRITABLE
    assert keyring.read_bytes() == before
    assert not elsewhere.exists()


def test_what_a_crash_left_is_in_nobodys_way(keyring: Path) -> None:
    left = keyring.with_name(f".{keyring.name}.new")
    left.write_bytes(b"x" * 10000)
    left.chmod(0o666)
    _provider(keyring).rotate()
    assert _provider(keyring).public().primary == "2"
    assert keyring.stat().st_mode & 0o777 == 0o600
    assert not left.exists()


# Ends the process at the n-th line of what writes, as a kill would; exit status 0 says that there was no such line.
_CRASH = """
import os, sys
from pathlib import Path
from gpuaas.encryption.providers import file, keyring_file
path, number = Path(sys.argv[1]), 0
watched = {file.__file__, keyring_file.__file__}
def count(frame, event, _argument):
    global number
    if event == "line":
        number += 1
        if number == last:
            os._exit(9)
    return count
def begin(frame, _event, _argument):
    return count if frame.f_code.co_filename in watched else None
for last in range(1, 200):
    child = os.fork()
    if not child:
        sys.settrace(begin)
        file.FileKeyProvider(path, sys.argv[2]).rotate()
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(ended, path.read_bytes().hex(), flush=True)
    if not ended:
        break
"""


def test_a_rotation_that_was_killed_at_any_line(keyring: Path) -> None:
    """The keyring is the one before or the one after, never less; and the next rotation is not hindered."""
    wrapped = _provider(keyring).wrap(KEY, {})
    first = Keyring.parse(keyring.read_bytes(), "").keys
    done = subprocess.run(
        [sys.executable, "-c", _CRASH, str(keyring), ENVIRONMENT],
        env={**os.environ, "PYTHONPATH": str(Path(gpuaas.__file__).parents[1])},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    ended = [line.split() for line in done.stdout.splitlines()]
    assert [status for status, _text in ended[:-1]] == ["9"] * (len(ended) - 1)
    assert ended[-1][0] == "0"
    known = first
    for _status, text in ended:
        ring = Keyring.parse(bytes.fromhex(text), "")
        assert known.items() <= ring.keys.items()
        assert ring.primary == max(ring.keys)
        assert len(ring.keys) - len(known) in (0, 1)
        known = ring.keys
    # Killed before it took effect, and after.
    assert len(ended) > 20
    assert 1 < len(known) < len(ended)
    assert _provider(keyring).unwrap(wrapped, {}) == KEY
    assert _provider(keyring).rotate().primary == str(len(known) + 1)


def test_every_step_is_on_disk_before_the_next(keyring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a power cut could reorder is held back: content, then name, then directory."""
    steps: list[str] = []
    sync, rename = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        steps.append(f"sync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")
        sync(descriptor)

    def replace(old: Path, new: Path) -> None:
        steps.append(f"rename to {new.name}")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    _provider(keyring).rotate()
    assert steps == [f"sync .{keyring.name}.new", f"rename to {keyring.name}", f"sync {keyring.parent.name}"]


def test_one_way_to_write_a_wrapped_key() -> None:
    """Bits that base64url leaves over are none to hide something in."""
    one = Wrapped("file", "r", "1", b"b")
    assert one.encode() == b"file.1.r.1.Yg"
    assert Wrapped.decode(b"file.1.r.1.Yg") == one
    for other in (b"file.1.r.1.Yh", b"file.1.r.1.Y", b"file.1.r.1.Ygh"):
        with pytest.raises(RefusedError) as caught:
            Wrapped.decode(other)
        assert caught.value.reason is Reason.WRAPPED_KEY_MALFORMED


def test_what_is_needed_of_another_keyring_is_not_guessed(keyring: Path) -> None:
    root = _provider(keyring).public()
    with pytest.raises(RefusedError) as caught:
        unneeded(root, [Wrapped("file", "r", "7", b"b").encode()])
    assert caught.value.reason is Reason.ROOT_VERSION_MISSING


def test_nothing_tells_a_key(keyring: Path) -> None:
    ring = read(keyring, ENVIRONMENT)
    provider = _provider(keyring)
    told = repr(ring) + repr(provider) + repr(provider.public()) + str(provider.wrap(KEY, {}))
    for key in ring.keys.values():
        assert key.hex() not in told
        assert repr(key)[2:-1] not in told


@pytest.mark.parametrize(
    "url",
    [
        "",
        "none:",
        "None",
        "file",
        "file:",
        "file:///",
        "file://host/root.json",
        "file:/root.json",
        "file:root.json",
        "file:///a/../b",
        "file:///a%00b",
        "vault:x",
        "awskms",
        "awskms:alias/x",
        "awskms:alias/x?region=",
        "awskms:alias/aws/x?region=eu-central-1",
        "awskms:x?region=eu-central-1",
        "awskms:alias/x?region=eu-central-1&region=eu-west-1",
        "awskms:alias/x?region=eu-central-1&key=1",
        "awskms:alias/x?region=eu-central-1&endpoint=",
        "awskms:alias/x?region=eu-central-1&endpoint=http://kms.internal:8080",
        "awskms:alias/x?region=eu-central-1&endpoint=https://user:word@kms.internal",
        "awskms:alias/x?region=eu-central-1&endpoint=ftp://127.0.0.1",
        "awskms:alias/x?region=eu.example/",
    ],
)
def test_no_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        parse(url)


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("none", "none"),
        ("file:///run/root%20key.json", "file"),
        ("awskms:alias/gpuaas/x?region=eu-central-1", "awskms"),
        ("awskms:alias/x?region=us-gov-east-1&endpoint=https://kms.internal:8443", "awskms"),
        ("awskms:alias/x?region=eu-central-1&endpoint=http://127.0.0.1:8080", "awskms"),
    ],
)
def test_a_url(url: str, scheme: str) -> None:
    assert parse(url).scheme == scheme
    assert provider_of(parse(url), ENVIRONMENT).scheme == scheme


def test_none_refuses() -> None:
    provider = provider_of(parse("none"), ENVIRONMENT)
    assert provider.public().versions == ()
    for call in (
        provider.rotate,
        lambda: provider.wrap(KEY, {}),
        lambda: provider.unwrap(b"", {}),
        lambda: provider.rewrap(b"", {}),
    ):
        with pytest.raises(RefusedError) as caught:
            call()
        assert caught.value.reason is Reason.ROOT_NONE
