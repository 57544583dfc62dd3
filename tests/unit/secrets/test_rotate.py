"""One secret is replaced, all the others stay, and no end in between loses a value."""

from __future__ import annotations

import base64
import contextlib
import stat
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run import files
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import previous
from ansible_collections.gpuaas.parity.tests.unit.secrets.made_up_state import CANARY, State


class Ended(BaseException):
    """The process was killed."""


@pytest.fixture
def value_file(tmp_path: Path) -> Path:
    path = tmp_path / "value"
    path.touch(mode=0o600)
    path.write_text(CANARY + "\n")
    return path


@pytest.mark.parametrize("name", ["db_password", "cookie_key", "admin_password"])
def test_one_secret_is_replaced_everywhere(kept: State, name: str) -> None:
    before = kept.values
    result = kept.rotate(name)
    after = kept.values
    assert result.changed and result.replaced
    assert {key for key in before if before[key] != after[key]} == {name}
    by_file = {"api/database": "db_password", "db/password": "db_password", "api/cookie": "cookie_key"}
    assert {file: (kept.files / file).read_text() for file in by_file} == {file: after[key] for file, key in by_file.items()}
    assert sorted(result.files) == sorted(str(kept.files / file) for file, key in by_file.items() if key == name)
    assert previous.values_of(kept.previous) == {name: [before[name]]}
    assert stat.S_IMODE(kept.previous.stat().st_mode) == 0o600
    assert not [value for value in (*before.values(), *after.values()) if value in repr(result)]


def test_next_run_has_nothing_left_to_do(kept: State) -> None:
    kept.rotate("db_password")
    before = kept.snapshot()
    result = kept.keep(cluster_exists=True)
    assert (result.changed, result.generated, result.removed) == (False, [], [])
    assert kept.snapshot() == before


def test_readers_are_told(kept: State) -> None:
    assert kept.rotate("db_password").readers == ["api", "db"]
    assert kept.rotate("admin_password").readers == ["operator"]


def test_every_replaced_value_is_kept_the_newest_first(kept: State) -> None:
    values = [kept.values["db_password"]]
    for _round in range(3):
        kept.rotate("db_password")
        values.insert(0, kept.values["db_password"])
    assert previous.values_of(kept.previous) == {"db_password": values[1:]}


def test_forgetting(kept: State) -> None:
    kept.rotate("db_password")
    previous.forget(kept.previous)
    assert not kept.previous.exists()
    previous.forget(kept.previous)
    assert previous.values_of(kept.previous) == {}


def test_check_mode_writes_nothing(kept: State) -> None:
    before = kept.snapshot()
    result = kept.rotate("db_password", dry=True)
    assert result.changed and result.replaced and len(result.files) == 2
    assert kept.snapshot() == before


def test_weak_value_can_be_replaced(kept: State) -> None:
    kept.set(db_password="a" * 30)
    assert kept.refused(kept.keep).reason == "SECRETS_INVALID"
    kept.rotate("db_password")
    kept.keep()


def test_name_that_the_contract_gained_gets_its_first_value(kept: State) -> None:
    kept.drop("cookie_key")
    assert kept.rotate("cookie_key").replaced
    assert not kept.previous.exists()
    assert len(base64.b64decode(kept.values["cookie_key"])) == 32


class TestEnd:
    """The process ends after each of its writes, and before it."""

    @pytest.mark.parametrize("applied", [False, True])
    @pytest.mark.parametrize("at", range(6))
    def test_next_up_converges(self, kept: State, monkeypatch: pytest.MonkeyPatch, at: int, applied: bool) -> None:
        old = kept.values
        replace = Path.replace
        count = 0

        def ending(self: Path, target: Path) -> Path:
            nonlocal count
            count += 1
            if count == at + 1 and not applied:
                raise Ended
            done = replace(self, target)
            if count == at + 1:
                raise Ended
            return done

        with monkeypatch.context() as patched, contextlib.suppress(Ended):
            patched.setattr(Path, "replace", ending)
            kept.rotate("db_password")
        new = kept.values
        assert {key for key in old if old[key] != new[key]} <= {"db_password"}
        if new != old:
            assert previous.values_of(kept.previous) == {"db_password": [old["db_password"]]}
        kept.keep(cluster_exists=True)
        assert kept.values == new
        assert (kept.files / "db/password").read_text() == (kept.files / "api/database").read_text() == new["db_password"]
        assert not kept.keep(cluster_exists=True).changed

    def test_killed_writer_leaves_nothing(self, kept: State) -> None:
        (kept.file.parent / ".secrets.yml.0123.tmp").write_text("half")
        (kept.files / "db/.password.0123.tmp").write_text("half")
        kept.rotate("db_password")
        kept.keep()
        assert [path.name for path in kept.root.rglob("*.tmp")] == []

    def test_full_disk(self, kept: State, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(files.os, "fsync", full)
        assert kept.refused(kept.rotate, "db_password").reason == "DISK_FULL"


class TestGiven:
    """The value is given in a file."""

    def test_it_is_used(self, kept: State, value_file: Path) -> None:
        old = kept.values["db_password"]
        assert kept.rotate("db_password", value_file=value_file).replaced
        assert kept.values["db_password"] == (kept.files / "db/password").read_text() == CANARY
        assert previous.values_of(kept.previous) == {"db_password": [old]}

    def test_again_is_no_rotation(self, kept: State, value_file: Path) -> None:
        kept.rotate("db_password", value_file=value_file)
        (kept.files / "db/password").unlink()
        result = kept.rotate("db_password", value_file=value_file)
        assert result.changed and not result.replaced
        assert not kept.rotate("db_password", value_file=value_file).changed
        assert len(previous.values_of(kept.previous)["db_password"]) == 1

    def test_back_to_what_it_was(self, kept: State, value_file: Path) -> None:
        first = kept.values["db_password"]
        kept.rotate("db_password", value_file=value_file)
        value_file.write_text(first)
        kept.rotate("db_password", value_file=value_file)
        assert previous.values_of(kept.previous) == {"db_password": [CANARY, first]}

    @pytest.mark.parametrize("permissions", [0o644, 0o400])
    def test_file_that_others_could_read(self, kept: State, value_file: Path, permissions: int) -> None:
        value_file.chmod(permissions)
        error = kept.refused(kept.rotate, "db_password", value_file=value_file)
        assert error.reason == "SECRETS_PERMISSIONS" and str(value_file) in error.do

    def test_file_that_is_not_there(self, kept: State, tmp_path: Path) -> None:
        error = kept.refused(kept.rotate, "db_password", value_file=tmp_path / "gone")
        assert error.reason == "SECRET_VALUE_MISSING"

    @pytest.mark.parametrize("content", [b"", b"short", b"a" * 30, CANARY.encode() + b" x", b"\xff" * 30, CANARY.encode() * 5])
    def test_value_that_is_not_of_its_type(self, kept: State, value_file: Path, content: bytes) -> None:
        value_file.write_bytes(content)
        error = kept.refused(kept.rotate, "db_password", value_file=value_file)
        assert error.reason == "SECRETS_INVALID" and error.details == {"names": ["db_password"]}


class TestTiers:
    def test_ci_refuses(self, state: State) -> None:
        state.seed().keep("ci")
        error = state.refused(state.rotate, "db_password", "ci")
        assert error.reason == "SECRETS_DERIVED" and "db_password" in error.seen

    def test_staging_wants_the_value(self, kept: State, value_file: Path) -> None:
        (kept.root / "secrets-tier").unlink()
        kept.keep("staging")
        assert kept.refused(kept.rotate, "db_password", "staging").reason == "SECRET_VALUE_MISSING"
        assert kept.rotate("db_password", "staging", value_file=value_file).replaced

    def test_other_tier_is_refused(self, kept: State, value_file: Path) -> None:
        error = kept.refused(kept.rotate, "db_password", "staging", value_file=value_file)
        assert error.reason == "SECRETS_TIER_CHANGED"


class TestRefusals:
    def test_unknown_name_lists_the_known_ones(self, kept: State) -> None:
        error = kept.refused(kept.rotate, CANARY)
        assert error.reason == "SECRET_UNKNOWN"
        assert "admin_password, cookie_key, db_password" in error.seen

    def test_nothing_to_rotate(self, state: State) -> None:
        assert state.refused(state.rotate, "db_password").reason == "SECRETS_MISSING"
        assert not state.root.exists()

    def test_exposed_secrets(self, kept: State) -> None:
        kept.file.chmod(0o644)
        assert kept.refused(kept.rotate, "db_password").reason == "SECRETS_PERMISSIONS"

    def test_other_values_that_are_wrong(self, kept: State) -> None:
        kept.set(admin_password="short", extra=CANARY)
        error = kept.refused(kept.rotate, "db_password")
        assert error.reason == "SECRETS_INVALID" and error.details == {"names": ["admin_password", "extra"]}

    @pytest.mark.parametrize("content", [f"- {CANARY}\n", f"db_password: {CANARY}\n", f"db_password: [{{a: {CANARY}}}]\n"])
    def test_damaged_record_of_replaced_values(self, kept: State, content: str) -> None:
        kept.previous.touch(mode=0o600)
        kept.previous.write_text(content)
        error = kept.refused(kept.rotate, "db_password")
        assert error.reason == "SECRETS_CORRUPT" and str(kept.previous) in error.seen

    def test_exposed_record_of_replaced_values(self, kept: State) -> None:
        kept.rotate("db_password")
        kept.previous.chmod(0o644)
        assert kept.refused(kept.rotate, "db_password").reason == "SECRETS_PERMISSIONS"

    def test_failure_names_a_reason_of_the_table(self, kept: State) -> None:
        with pytest.raises(ParityError) as caught:
            kept.rotate("gone")
        assert "NAME=" in caught.value.do
