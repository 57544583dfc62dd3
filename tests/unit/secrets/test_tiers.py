"""Where values come from: the tier says so, and what it says is never bent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import seed
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.derivation import derive
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.entries import problem
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.table import TYPES
from ansible_collections.gpuaas.parity.tests.unit.secrets.made_up_state import CANARY, SEED, State

VALID = {
    "db_password": "Staging_db_0123456789abcdef",
    "admin_password": "Staging_admin_0123456789abcdef",
    "cookie_key": base64.b64encode(bytes(range(32))).decode(),
}


def hkdf(key: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869 section 2, from the standard library alone."""
    extracted = hmac.new(salt, key, hashlib.sha256).digest()
    block, out = b"", b""
    for count in range(1, -(-size // 32) + 1):
        block = hmac.new(extracted, block + info + bytes([count]), hashlib.sha256).digest()
        out += block
    return out[:size]


def test_hkdf_of_this_test_is_that_of_the_rfc() -> None:
    """RFC 5869 appendix A.1."""
    okm = hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
    assert okm.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


class TestCi:
    def test_values_are_hkdf_of_seed_type_and_name(self, state: State) -> None:
        state.seed().keep("ci")
        key, salt = SEED.strip(), b"gpuaas.parity secrets 1"
        password = base64.urlsafe_b64encode(hkdf(key, salt, b"password db_password", 24)).decode()
        cookie = base64.b64encode(hkdf(key, salt, b"key256 cookie_key", 32)).decode()
        assert state.values["db_password"] == password
        assert state.values["cookie_key"] == cookie

    def test_equal_seeds_give_equal_files_anywhere(self, tmp_path: Path) -> None:
        trees = []
        for name in ("one", "other"):
            state = State(tmp_path / name / "kind")
            state.root.parent.mkdir()
            state.seed().keep("ci")
            trees.append({path.relative_to(state.root): path.read_bytes() for path in state.root.rglob("*") if path.is_file()})
        assert trees[0] == trees[1]

    def test_another_seed_gives_others(self, tmp_path: Path) -> None:
        made = [derive(key, "db_password", "password") for key in (b"a" * 32, b"b" * 32)]
        assert made[0] != made[1]

    def test_space_around_the_seed_is_not_part_of_it(self, state: State) -> None:
        state.seed(b"  " + SEED + b"\n\n")
        assert seed.read_seed(state.seed_file) == SEED.strip()

    def test_second_run_changes_nothing(self, state: State) -> None:
        state.seed().keep("ci")
        before = state.snapshot()
        result = state.keep("ci", cluster_exists=True)
        assert not result.changed and result.generated == []
        assert state.snapshot() == before

    def test_what_is_missing_is_derived_alone(self, state: State) -> None:
        state.seed().keep("ci")
        before = state.values
        state.drop("cookie_key")
        assert state.keep("ci").generated == ["cookie_key"]
        assert state.values == before

    def test_check_mode_writes_nothing(self, state: State) -> None:
        result = state.seed().keep("ci", dry=True)
        assert result.changed and len(result.generated) == 3
        assert not state.root.exists()

    def test_value_of_another_origin_is_refused_and_kept(self, state: State) -> None:
        state.seed().keep("ci")
        state.set(db_password=CANARY)
        error = state.refused(state.keep, "ci")
        assert error.reason == "SECRETS_DIFFER"
        assert error.details == {"names": ["db_password"]} and "db_password" in error.seen

    def test_changed_seed_is_refused_with_every_name(self, state: State) -> None:
        state.seed().keep("ci")
        state.seed(SEED + b"!")
        error = state.refused(state.keep, "ci")
        assert error.details == {"names": ["admin_password", "cookie_key", "db_password"]}
        assert error.seen.endswith("admin_password, cookie_key, db_password are not what the seed gives")

    def test_one_value_of_another_seed_is_refused(self, state: State) -> None:
        state.seed().keep("ci")
        state.set(db_password=state.values["db_password"][::-1])
        assert state.refused(state.keep, "ci").seen.endswith(": db_password is not what the seed gives")

    def test_no_seed_file_is_named(self, state: State) -> None:
        assert state.refused(lambda: seed.read_seed(None)).reason == "SEED_MISSING"

    def test_seed_file_that_is_not_there(self, state: State) -> None:
        error = state.refused(state.keep, "ci")
        assert error.reason == "SEED_MISSING" and str(state.seed_file) in error.seen

    @pytest.mark.parametrize("permissions", [0o644, 0o640, 0o604, 0o400])
    def test_seed_that_others_could_read(self, state: State, permissions: int) -> None:
        state.seed().seed_file.chmod(permissions)
        error = state.refused(state.keep, "ci")
        assert error.reason == "SEED_PERMISSIONS" and f"{permissions:04o}" in error.seen

    def test_seed_that_is_a_link(self, state: State) -> None:
        state.seed().seed_file.rename(state.seed_file.with_name("elsewhere"))
        state.seed_file.symlink_to("elsewhere")
        assert state.refused(state.keep, "ci").reason == "SEED_PERMISSIONS"

    @pytest.mark.parametrize("content", [b"", b"\n" * 64, SEED.strip()[:31] + b"\n", b"abc" * 20])
    def test_weak_seed(self, state: State, content: bytes) -> None:
        state.seed(content)
        error = state.refused(state.keep, "ci")
        assert error.reason == "SEED_WEAK"
        assert not content.strip() or content.strip().decode() not in error.seen

    @pytest.mark.parametrize("content", [SEED.strip()[:32], b"0123456789" * 4, b"0123456789abcdef0123456789abcdef\n"])
    def test_the_least_seed_that_is_allowed(self, state: State, content: bytes) -> None:
        state.seed(content)
        assert seed.read_seed(state.seed_file) == content.strip()

    @pytest.mark.parametrize("content", [b"012345678" * 4, SEED.strip()[:31]])
    def test_a_seed_that_is_one_short(self, state: State, content: bytes) -> None:
        state.seed(content)
        assert state.refused(lambda: seed.read_seed(state.seed_file)).reason == "SEED_WEAK"

    def test_what_is_derived_passes_the_checks_of_every_type(self) -> None:
        for name, kind in TYPES.items():
            for number in range(200):
                assert problem(kind, derive(SEED, f"name_{number}", name)) == ""


class TestStaging:
    def test_nothing_is_generated(self, state: State) -> None:
        error = state.refused(state.keep, "staging")
        assert error.reason == "SECRETS_INCOMPLETE"
        assert error.details == {"names": ["admin_password", "cookie_key", "db_password"]}
        assert not state.root.exists()

    def test_what_is_missing_is_named(self, state: State) -> None:
        state.write(json.dumps(VALID))
        state.drop("cookie_key", "db_password")
        error = state.refused(state.keep, "staging")
        assert error.reason == "SECRETS_INCOMPLETE" and "cookie_key, db_password" in error.seen

    def test_given_values_are_used_as_they_are(self, state: State) -> None:
        state.write(json.dumps(VALID))
        before = state.file.read_bytes()
        assert state.keep("staging").generated == []
        assert state.file.read_bytes() == before
        assert (state.files / "db/password").read_text() == VALID["db_password"]

    def test_weak_value_is_refused_here_too(self, state: State) -> None:
        state.write(json.dumps(VALID | {"db_password": "a" * 30}))
        assert state.refused(state.keep, "staging").reason == "SECRETS_INVALID"


class TestChange:
    @pytest.mark.parametrize("tier", ["ci", "staging"])
    def test_tier_of_existing_secrets_cannot_change(self, kept: State, tier: str) -> None:
        kept.seed()
        error = kept.refused(kept.keep, tier)
        assert error.reason == "SECRETS_TIER_CHANGED"
        assert "local" in error.seen and tier in error.seen

    def test_secrets_of_an_earlier_version_take_the_tier_given(self, kept: State) -> None:
        (kept.root / "secrets-tier").unlink()
        assert kept.keep("staging").changed
        assert kept.refused(kept.keep, "local").reason == "SECRETS_TIER_CHANGED"

    def test_secrets_of_an_earlier_version_are_not_taken_for_derived_ones(self, kept: State) -> None:
        (kept.root / "secrets-tier").unlink()
        kept.seed()
        assert kept.refused(kept.keep, "ci").reason == "SECRETS_DIFFER"

    def test_record_without_secrets_binds_nobody(self, kept: State) -> None:
        kept.file.unlink()
        kept.seed().keep("ci")
        assert (kept.root / "secrets-tier").read_text() == "ci\n"

    def test_record_that_says_nothing(self, kept: State) -> None:
        (kept.root / "secrets-tier").write_text(CANARY)
        assert kept.refused(kept.keep).reason == "SECRETS_CORRUPT"

    def test_record_that_others_could_replace(self, kept: State) -> None:
        (kept.root / "secrets-tier").chmod(0o666)
        assert kept.refused(kept.keep).reason == "SECRETS_PERMISSIONS"

    def test_end_between_record_and_secrets_is_completed(self, state: State) -> None:
        state.root.mkdir(mode=0o700)
        (state.root / "secrets-tier").touch(mode=0o600)
        (state.root / "secrets-tier").write_text("local\n")
        assert len(state.keep().generated) == 3
