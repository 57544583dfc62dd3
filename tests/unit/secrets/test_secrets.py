"""Secrets: generated once, refused when they are not as they must be, never told."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import store
from ansible_collections.gpuaas.parity.tests.unit.secrets.made_up_state import CANARY, CONTRACT, State


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_first_run_generates_everything(state: State) -> None:
    result = state.keep()
    assert result.changed
    assert result.generated == ["admin_password", "cookie_key", "db_password"]
    values = state.values
    assert set(values) == set(CONTRACT["secrets"])
    assert len(values["db_password"]) >= 24
    assert values["db_password"] != values["admin_password"]
    assert len(base64.b64decode(values["cookie_key"])) == 32


def test_second_run_changes_nothing(kept: State) -> None:
    before = kept.snapshot()
    result = kept.keep(cluster_exists=True)
    assert (result.changed, result.generated, result.removed) == (False, [], [])
    assert kept.snapshot() == before


def test_no_value_is_in_the_result(kept: State) -> None:
    text = repr(kept.keep())
    assert not [value for value in kept.values.values() if value in text]


def test_delivered_files(kept: State) -> None:
    values = kept.values
    assert (kept.files / "api/database").read_text() == values["db_password"]
    assert (kept.files / "api/cookie").read_text() == values["cookie_key"]
    assert (kept.files / "db/password").read_text() == values["db_password"]
    assert sorted(path.name for path in kept.files.iterdir()) == ["api", "db"]


def test_everything_is_private_whatever_the_umask(state: State) -> None:
    before = os.umask(0)
    try:
        state.keep()
    finally:
        os.umask(before)
    for path in (state.root, *state.root.rglob("*")):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("instead", [Path.unlink, lambda path: (path.unlink(), path.mkdir())], ids=["missing", "directory"])
def test_what_is_not_there_hides_no_file_that_others_could_read(kept: State, instead: Callable[[Path], object]) -> None:
    instead(kept.files / "api/cookie")
    (kept.files / "db/password").chmod(0o644)
    error = kept.refused(kept.keep)
    assert error.reason == "SECRETS_PERMISSIONS" and error.details == {"names": ["db_password"]}


@pytest.mark.parametrize("permissions", [0o644, 0o640, 0o604, 0o620])
def test_delivered_file_that_others_could_read_is_refused_by_name(kept: State, permissions: int) -> None:
    (kept.files / "db/password").chmod(permissions)
    error = kept.refused(kept.keep)
    assert error.reason == "SECRETS_PERMISSIONS"
    assert "db/password" in error.seen and f"{permissions:04o}" in error.seen and "db_password" in error.seen
    assert error.details == {"names": ["db_password"]}
    assert "NAME=db_password" in error.do


def test_delivered_file_of_somebody_else_is_refused(kept: State, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = kept.file.stat().st_uid
    users = iter([owner, owner])
    monkeypatch.setattr(os, "geteuid", lambda: next(users, owner + 1))
    error = kept.refused(kept.keep)
    assert error.reason == "SECRETS_PERMISSIONS" and f"user {owner}" in error.seen


def test_rotation_heals_a_delivered_file_that_was_exposed(kept: State) -> None:
    before = kept.values["db_password"]
    (kept.files / "db/password").chmod(0o644)
    kept.rotate("db_password")
    kept.keep()
    assert mode(kept.files / "db/password") == 0o600
    assert (kept.files / "db/password").read_text() == kept.values["db_password"] != before


def test_what_nobody_else_could_read_is_repaired(kept: State) -> None:
    (kept.files / "db/password").chmod(0o400)
    kept.files.chmod(0o755)
    (kept.files / "api/cookie").unlink()
    (kept.files / "api/cookie").symlink_to("/etc/hostname")
    assert kept.keep().changed
    assert mode(kept.files / "db/password") == 0o600
    assert mode(kept.files) == 0o700
    assert (kept.files / "api/cookie").read_text() == kept.values["cookie_key"]
    assert not (kept.files / "api/cookie").is_symlink()


def test_check_mode_writes_nothing(state: State) -> None:
    result = state.keep(dry=True)
    assert result.changed
    assert len(result.generated) == 3
    assert not state.root.exists()


def test_name_that_the_contract_gained_is_generated_alone(kept: State) -> None:
    before = kept.values
    kept.contract["secrets"]["new_password"] = {"type": "password", "readers": ["db"], "means": "x"}
    kept.contract["services"]["db"]["secrets"]["extra"] = "new_password"
    result = kept.keep(cluster_exists=True)
    assert result.generated == ["new_password"]
    assert {name: kept.values[name] for name in before} == before
    assert (kept.files / "db/extra").read_text() == kept.values["new_password"]


def test_check_mode_names_a_gained_secret(kept: State) -> None:
    kept.contract["secrets"]["new_password"] = {"type": "password", "readers": ["db"], "means": "x"}
    before = kept.snapshot()
    assert kept.keep(dry=True).generated == ["new_password"]
    assert kept.snapshot() == before


def test_files_that_are_no_longer_named_are_removed(kept: State) -> None:
    (kept.files / "old").mkdir()
    (kept.files / "old/password").touch()
    (kept.files / "api/.cookie.0123.tmp").touch()
    (kept.files / "link").symlink_to("/etc/hostname")
    del kept.contract["services"]["api"]["secrets"]["cookie"]
    del kept.contract["services"]["db"]
    dry = kept.keep(dry=True)
    assert (kept.files / "db/password").exists()
    result = kept.keep()
    expected = ["api/.cookie.0123.tmp", "api/cookie", "db", "db/password", "link", "old", "old/password"]
    assert result.removed == dry.removed == expected
    assert sorted(p.relative_to(kept.files).as_posix() for p in kept.files.rglob("*")) == ["api", "api/database"]
    assert "cookie_key" in kept.values


def test_value_of_ones_own_is_used(kept: State) -> None:
    kept.set(db_password=CANARY)
    result = kept.keep()
    assert result.generated == []
    assert (kept.files / "db/password").read_text() == CANARY


def test_missing_file_with_a_cluster_is_refused(state: State) -> None:
    error = state.refused(cluster_exists=True)
    assert error.reason == "SECRETS_MISSING"
    assert "{down}" in error.do


@pytest.mark.parametrize("permissions", [0o644, 0o640, 0o660, 0o400, 0o700])
def test_wrong_mode_is_refused(kept: State, permissions: int) -> None:
    kept.file.chmod(permissions)
    error = kept.refused()
    assert error.reason == "SECRETS_PERMISSIONS"
    assert f"{permissions:04o}" in error.seen


def test_foreign_owner_is_refused(kept: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: kept.file.stat().st_uid + 1)
    assert kept.refused().reason == "SECRETS_PERMISSIONS"


def test_link_is_refused(kept: State, tmp_path: Path) -> None:
    kept.file.rename(tmp_path / "elsewhere")
    kept.file.symlink_to(tmp_path / "elsewhere")
    assert kept.refused().reason == "SECRETS_PERMISSIONS"


def test_directory_in_its_place_is_refused(kept: State) -> None:
    kept.file.unlink()
    kept.file.mkdir()
    assert kept.refused().reason == "SECRETS_PERMISSIONS"


def test_pipe_in_its_place_is_refused_and_not_waited_for(kept: State) -> None:
    kept.file.unlink()
    os.mkfifo(kept.file, 0o600)
    with pytest.raises(ParityError) as caught:
        kept.keep()
    assert caught.value.reason == "SECRETS_PERMISSIONS"


def test_unreadable_file(kept: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(ParityError) as caught:
        kept.keep()
    assert caught.value.reason == "SECRETS_UNREADABLE"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# nothing\n",
        b"\xff\xfe\x00\x01",
        b"\x00" * 100,
        f"- {CANARY}\n",
        CANARY,
        f"db_password: {CANARY}\ndb_password: {CANARY}\n",
        f"db_password: '{CANARY}\n",
        f"db_password: !{CANARY} x\n",
        f"db_password: &{CANARY} x\ncookie_key: *{CANARY}\n",
        f"db_password: *{CANARY}\n",
        f"db_password: {CANARY}: {CANARY}\n",
    ],
)
def test_corrupt_file_is_refused_and_never_quoted(kept: State, content: str | bytes) -> None:
    kept.write(content)
    error = kept.refused()
    assert error.reason == "SECRETS_CORRUPT"
    assert "{down}" in error.do


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("db_password", 123456789012345678901234567890),
        ("db_password", None),
        ("db_password", ""),
        ("db_password", [CANARY]),
        ("db_password", {"value": CANARY}),
        ("db_password", CANARY[:23]),
        ("db_password", CANARY + " "),
        ("db_password", CANARY + "\n"),
        ("db_password", CANARY * 5),
        ("db_password", "a" * 32),
        ("db_password", "abcabcabcabcabcabcabcabcabcabc"),
        ("cookie_key", CANARY),
        ("cookie_key", base64.b64encode(b"\0" * 32).decode()),
        ("cookie_key", base64.b64encode(b"x" * 31).decode()),
        ("unknown_name", CANARY),
    ],
)
def test_value_that_is_not_of_its_type_is_refused_by_name(kept: State, name: str, value: object) -> None:
    kept.set(**{name: value})
    error = kept.refused()
    assert error.reason == "SECRETS_INVALID"
    assert name in error.seen
    assert error.details == {"names": [name]}


def test_all_wrong_names_are_told(kept: State) -> None:
    kept.set(db_password="short", cookie_key="short", extra=CANARY)
    assert kept.refused().details == {"names": ["cookie_key", "db_password", "extra"]}


def test_interrupted_first_run_is_completed(state: State) -> None:
    state.root.mkdir()
    (state.root / "secrets").mkdir()
    (state.root / "secrets" / ".secrets.yml.0123.tmp").write_text("half")
    state.keep()
    assert sorted(path.name for path in (state.root / "secrets").iterdir()) == ["files", "secrets.yml"]


def test_lost_delivered_files_are_delivered_again(kept: State) -> None:
    before = kept.values
    (kept.files / "db/password").unlink()
    result = kept.keep(cluster_exists=True)
    assert result.changed
    assert result.generated == []
    assert (kept.files / "db/password").read_text() == before["db_password"]


def test_service_that_is_no_reader(state: State) -> None:
    state.contract["services"]["web"]["secrets"]["cookie"] = "cookie_key"
    error = state.refused()
    assert error.reason == "CONTRACT_INVALID"
    assert "services.web.secrets.cookie" in error.seen and "secrets.cookie_key.readers" in error.seen


def test_reference_to_no_secret(state: State) -> None:
    state.contract["services"]["db"]["secrets"]["password"] = "gone"
    assert state.refused().reason == "CONTRACT_REFERENCE"


def test_unknown_type(state: State) -> None:
    state.contract["secrets"]["db_password"]["type"] = "pin"
    error = state.refused()
    assert error.reason == "CONTRACT_INVALID"
    assert "key, keyring, password" in error.seen


def test_values_survive_the_file_verbatim(tmp_path: Path) -> None:
    values = {"a": "-" * 24 + "0123456789", "b": "1e5", "c": "true", "d": "0x10"}
    path = tmp_path / "secrets.yml"
    path.write_bytes(store.encode(values))
    path.chmod(0o600)
    assert store.read(path) == values
