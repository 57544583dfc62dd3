"""Keyrings, derived and wrapped secrets, from their first value through their rotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import previous, store
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.derivation import derive
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.table import make, random_part
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.text import KEY
from ansible_collections.gpuaas.parity.tests.unit.secrets.made_up_state import CANARY, State

ADDED: dict[str, dict[str, Any]] = {
    "root_key": {"type": "key", "readers": [], "means": "x"},
    "session_key": {"type": "key", "derived_from": "root_key", "readers": ["api"], "means": "x"},
    "task_password": {"type": "password", "derived_from": "session_key", "readers": ["web"], "means": "x"},
    "ring": {"type": "keyring", "readers": ["api"], "means": "x"},
    "token": {"type": "password", "wrapped_by": "ring", "readers": ["api"], "means": "x"},
    "data_ring": {"type": "keyring", "wrapped_by": "root_key", "readers": ["api"], "means": "x"},
}
FILES = {
    "api/session": "session_key",
    "web/task": "task_password",
    "api/ring": "ring",
    "api/token": "token",
    "api/data": "data_ring",
    "api/database": "db_password",
}


@pytest.fixture
def state(state: State) -> State:
    state.contract["secrets"] |= {name: dict(secret) for name, secret in ADDED.items()}
    state.contract["services"]["api"]["secrets"] |= {"session": "session_key", "ring": "ring", "token": "token", "data": "data_ring"}
    state.contract["services"]["web"]["secrets"]["task"] = "task_password"
    return state


def read(state: State) -> dict[str, str]:
    values = store.read(state.file)
    assert values is not None
    return values


def delivered(state: State) -> dict[str, str]:
    return {secret: (state.files / file).read_text() for file, secret in FILES.items()}


def assert_delivered(state: State) -> None:
    values = read(state)
    assert delivered(state) == {name: values[name] for name in FILES.values()}


class TestFirst:
    def test_every_secret_has_a_value_and_consumers_have_it_plain(self, kept: State) -> None:
        assert set(read(kept)) == set(kept.contract["secrets"])
        assert_delivered(kept)
        ring = json.loads(delivered(kept)["ring"])
        assert ring["primary"] == 1 and len(KEY.read(ring["keys"]["1"])) == 32

    def test_what_is_derived_is_not_stored_and_follows_from_its_parent_and_name(self, kept: State) -> None:
        values = read(kept)
        assert kept.values["session_key"] == {"type": "key", "derived_from": "root_key"}
        assert values["session_key"] == derive(KEY.read(values["root_key"]), "session_key", "key")
        assert values["task_password"] == derive(KEY.read(values["session_key"]), "task_password", "password")

    def test_what_is_wrapped_is_stored_in_no_other_way(self, kept: State) -> None:
        values, text = read(kept), kept.file.read_text()
        assert values["token"] not in text and json.loads(values["data_ring"])["keys"]["1"] not in text
        entry = dict(kept.values["token"])
        assert entry.pop("wrapped") and entry == {"type": "password", "wrapped_by": "ring", "version": 1}
        assert "version" not in kept.values["data_ring"]

    def test_second_run_changes_nothing(self, kept: State) -> None:
        before = kept.snapshot()
        assert not kept.keep(cluster_exists=True).changed
        assert kept.snapshot() == before

    def test_a_file_of_before_is_read_unchanged(self, state: State) -> None:
        for name in ADDED:
            del state.contract["secrets"][name]
        for service in ("api", "web"):
            state.contract["services"][service]["secrets"] = {}
        values = {"db_password": make("password"), "cookie_key": make("key"), "admin_password": make("password")}
        text = "# header\n" + "".join(f'{name}: "{value}"\n' for name, value in values.items())
        state.write(text)
        state.keep(cluster_exists=True)
        assert state.file.read_text() == text and read(state) == values

    def test_what_the_contract_gains_leaves_the_rest_alone(self, state: State) -> None:
        gained = {name: state.contract["secrets"].pop(name) for name in ADDED}
        services, state.contract["services"] = state.contract["services"], {}
        state.keep()
        before = read(state)
        state.contract["services"] = services
        state.contract["secrets"] |= gained
        assert state.keep(cluster_exists=True).generated == sorted(gained)
        assert before.items() <= read(state).items()

    @pytest.mark.parametrize("name", ["session_key", "task_password"])
    def test_a_lost_entry_of_a_derived_secret_is_no_loss(self, kept: State, name: str) -> None:
        before = kept.snapshot()
        kept.drop(name)
        assert kept.keep(cluster_exists=True).changed
        assert kept.snapshot() == before

    @pytest.mark.parametrize(("lost", "without"), [("root_key", ["data_ring", "session_key", "task_password"]), ("ring", ["token"])])
    def test_what_others_lead_to_is_not_made_again_when_it_is_lost(self, kept: State, lost: str, without: list[str]) -> None:
        kept.drop(lost)
        error = kept.refused(kept.keep)
        assert error.reason == "SECRETS_INVALID" and error.details == {"names": without}


class TestTiers:
    def test_equal_seeds_give_equal_files(self, state: State) -> None:
        trees = []
        for _round in range(2):
            state.seed().keep("ci")
            trees.append({str(path): path.read_bytes() for path in state.root.rglob("*") if path.is_file()})
            state.file.unlink()
        assert trees[0] == trees[1]
        values = json.loads(json.dumps(delivered(state)))
        assert json.loads(values["ring"])["keys"]["1"] == derive(state.seed_file.read_bytes().strip(), "ring", "keyring").split('"')[-2]

    def test_a_ring_of_another_origin_is_refused(self, state: State) -> None:
        state.seed().keep("ci")
        state.set(ring=json.loads(make("keyring")), token=make("password"))
        assert state.refused(state.keep, "ci").details == {"names": ["ring", "token"]}

    def test_staging_wants_values_of_what_has_its_own_alone(self, state: State) -> None:
        names = [name for name, secret in state.contract["secrets"].items() if "derived_from" not in secret]
        assert state.refused(state.keep, "staging").details == {"names": sorted(names)}

    def test_staging_wraps_what_was_given_plain(self, state: State, tmp_path: Path) -> None:
        names = [name for name, secret in state.contract["secrets"].items() if "derived_from" not in secret]
        given = {name: make(state.contract["secrets"][name]["type"]) for name in names}
        state.write("".join(f"{name}: {value if value.startswith('{') else json.dumps(value)}\n" for name, value in given.items()))
        state.keep("staging")
        assert given.items() <= read(state).items()
        assert given["token"] not in state.file.read_text()
        assert_delivered(state)
        part = tmp_path / "part"
        part.touch(mode=0o600)
        part.write_text(random_part("keyring") + "\n")
        for _again in range(2):
            state.rotate("ring", "staging", value_file=part)
            ring = json.loads(read(state)["ring"])
            assert ring["keys"] == {"1": json.loads(given["ring"])["keys"]["1"], "2": part.read_text().strip()}
        part.write_text(ring["keys"]["1"])
        assert "two versions with the same key" in state.refused(state.rotate, "ring", "staging", value_file=part).seen
        part.write_text(CANARY)
        assert "must be 32 random bytes" in state.refused(state.rotate, "ring", "staging", value_file=part).seen


class TestRotation:
    def test_of_a_keyring_adds_a_version_and_what_it_wrapped_stays_readable(self, kept: State) -> None:
        before, entry = read(kept), kept.values["token"]
        done = kept.rotate("ring")
        after = read(kept)
        ring = json.loads(after["ring"])
        assert done.replaced and ring["primary"] == 2 and ring["keys"]["1"] == json.loads(before["ring"])["keys"]["1"]
        assert {name for name in before if before[name] != after[name]} == {"ring"}
        assert kept.values["token"] == entry
        assert not kept.previous.exists()
        assert_delivered(kept)
        assert not kept.keep(cluster_exists=True).changed

    def test_of_what_a_keyring_wraps_uses_its_primary_version(self, kept: State) -> None:
        kept.rotate("ring")
        old = read(kept)["token"]
        kept.rotate("token")
        assert kept.values["token"]["version"] == 2
        assert read(kept)["token"] not in (old, *kept.file.read_text().split())
        assert previous.values_of(kept.previous) == {"token": [old]}
        assert_delivered(kept)

    def test_of_a_key_changes_what_is_derived_and_wraps_again(self, kept: State) -> None:
        before, entries = read(kept), kept.values
        done = kept.rotate("root_key")
        after = read(kept)
        assert done.derived == ["session_key", "task_password"] and done.readers == ["api", "web"]
        assert {name for name in before if before[name] != after[name]} == {"root_key", *done.derived}
        assert kept.values["data_ring"] != entries["data_ring"]
        assert previous.values_of(kept.previous) == {name: [before[name]] for name in ("root_key", *done.derived)}
        assert sorted(done.files) == [str(kept.files / file) for file in ("api/session", "web/task")]
        assert_delivered(kept)
        assert not kept.keep(cluster_exists=True).changed

    def test_of_a_wrapped_keyring_adds_a_version(self, kept: State) -> None:
        before = json.loads(read(kept)["data_ring"])
        kept.rotate("data_ring")
        assert json.loads(read(kept)["data_ring"])["keys"].items() > before["keys"].items()
        assert_delivered(kept)

    @pytest.mark.parametrize("name", ["session_key", "task_password"])
    def test_of_a_derived_secret_is_refused_with_what_it_follows_from(self, kept: State, name: str) -> None:
        error = kept.refused(kept.rotate, name)
        assert error.reason == "SECRETS_DERIVED" and error.do == "{rotate} NAME=root_key"
        assert name in error.seen

    def test_of_a_keyring_that_is_damaged_is_refused(self, kept: State) -> None:
        ring = kept.values["ring"]
        kept.set(ring=ring | {"primary": 7})
        assert kept.refused(kept.rotate, "ring").reason == "SECRETS_INVALID"

    @pytest.mark.parametrize("entry", [{"wrapped_by": [CANARY], "version": [1]}, [CANARY], {"keys": 1}, None])
    def test_of_a_damaged_entry_replaces_it(self, kept: State, entry: object) -> None:
        kept.set(token=entry)
        assert kept.refused(kept.keep).details == {"names": ["token"]}
        assert kept.rotate("token").replaced
        assert_delivered(kept)

    def test_of_a_weak_key_replaces_it_and_what_follows(self, kept: State) -> None:
        kept.set(root_key="A" * 43 + "=", data_ring=json.loads(make("keyring")))
        assert kept.refused(kept.keep).reason == "SECRETS_INVALID"
        assert kept.rotate("root_key").replaced
        kept.keep()
        assert_delivered(kept)

    def test_before_the_wrapper_has_a_value(self, kept: State) -> None:
        token = make("password")
        kept.set(token=token)
        kept.drop("ring")
        assert kept.refused(kept.rotate, "token").do == "{up}"
        kept.rotate("db_password")
        assert kept.values["token"] == token
        kept.keep()
        assert read(kept)["token"] == token
        assert token not in kept.file.read_text()


class TestContractChanges:
    def test_what_is_no_longer_wrapped_keeps_its_value(self, kept: State) -> None:
        before = read(kept)
        del kept.contract["secrets"]["token"]["wrapped_by"]
        kept.keep(cluster_exists=True)
        assert kept.values["token"] == before["token"] and read(kept) == before

    def test_what_is_wrapped_by_another_keeps_its_value(self, kept: State) -> None:
        before = read(kept)
        kept.contract["secrets"]["token"]["wrapped_by"] = "root_key"
        kept.keep(cluster_exists=True)
        assert kept.values["token"]["wrapped_by"] == "root_key" and read(kept) == before

    def test_a_value_is_not_replaced_by_a_derived_one(self, kept: State) -> None:
        kept.contract["secrets"]["db_password"]["derived_from"] = "root_key"
        error = kept.refused(kept.keep)
        assert error.reason == "SECRETS_INVALID" and "{type: password, derived_from: root_key}" in error.seen

    def test_a_derived_value_is_not_replaced_by_a_random_one_or_that_of_another_parent(self, kept: State) -> None:
        kept.contract["secrets"]["task_password"]["derived_from"] = "root_key"
        assert kept.refused(kept.keep).details == {"names": ["task_password"]}
        del kept.contract["secrets"]["task_password"]["derived_from"]
        assert kept.refused(kept.keep).details == {"names": ["task_password"]}

    def test_a_contract_that_cannot_be_is_refused_before_anything_is_made(self, state: State) -> None:
        state.contract["secrets"]["root_key"]["derived_from"] = "task_password"
        assert state.refused().reason in ("CONTRACT_CYCLE", "CONTRACT_INVALID")
        assert not state.root.exists()


class TestDamage:
    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("token", {"wrapped": "AAAA"}),
            ("token", {"wrapped": "no base64!"}),
            ("token", {"version": 2}),
            ("token", {"version": 0}),
            ("token", {"wrapped_by": "gone"}),
            ("token", {"wrapped_by": CANARY}),
            ("session_key", {"derived_from": CANARY}),
            ("token", {"wrapped_by": "token"}),
            ("token", {"wrapped_by": "db_password"}),
            ("token", {"type": "key"}),
            ("token", {"more": CANARY}),
            ("session_key", {"derived_from": "ring"}),
            ("session_key", {"derived_from": "task_password"}),
            ("session_key", {"type": "keyring"}),
            ("ring", {"keys": CANARY}),
        ],
    )
    def test_an_entry_that_is_not_as_it_must_be_is_named(self, kept: State, name: str, change: dict[str, Any]) -> None:
        kept.set(**{name: kept.values[name] | change})
        error = kept.refused(kept.keep)
        assert error.reason == "SECRETS_INVALID" and name in error.details["names"]

    def test_a_wrapped_value_under_another_name_is_refused(self, kept: State) -> None:
        kept.contract["secrets"]["token2"] = dict(ADDED["token"])
        kept.keep()
        kept.set(token=kept.values["token2"])
        assert kept.refused(kept.keep).details == {"names": ["token"]}

    def test_a_lost_version_is_named(self, kept: State) -> None:
        kept.rotate("ring")
        ring = kept.values["ring"]
        del ring["keys"]["1"]
        kept.set(ring=ring)
        error = kept.refused(kept.keep)
        assert "token is wrapped by version 1 of ring, which there is not" in error.seen
