"""What a record may be bound to, and that every reason has advice."""

from __future__ import annotations

import pytest

from gpuaas.encryption.binding import Binding, DataClass
from gpuaas.encryption.refusal import ADVICE, Reason, RefusedError

GOOD = Binding("local", DataClass.TENANT, "atlas", "5d1c3f0e-8a5e-4c53-9a53-1a4f2f3f6f01", "instance.private", 1)


def test_a_header_tells_it_again() -> None:
    assert Binding.of(GOOD.members()) == GOOD  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("environment", ""),
        ("environment", "lo cal"),
        ("environment", "a" * 64),
        ("environment", "local\n"),
        ("environment", None),
        ("data_class", "tenants"),
        ("data_class", 1),
        ("data_class", ["tenant"]),
        ("project", "größe"),
        ("project", "𐐀"),
        ("project", "-a"),
        ("event_id", "5D1C3F0E-8A5E-4C53-9A53-1A4F2F3F6F01"),
        ("event_id", "1"),
        ("type", "Instance"),
        ("type", "instance..private"),
        ("schema_version", 0),
        ("schema_version", 1000),
        ("schema_version", True),
        ("schema_version", "1"),
        ("schema_version", 1.0),
    ],
)
def test_what_cannot_be_bound_is_refused(field: str, value: object) -> None:
    with pytest.raises(RefusedError) as refused:
        Binding.of({**GOOD.members(), field: value})
    assert refused.value.reason is Reason.BINDING_INVALID


@pytest.mark.parametrize("missing", sorted(GOOD.members()))
def test_nothing_is_left_out(missing: str) -> None:
    members: dict[str, object] = {name: value for name, value in GOOD.members().items() if name != missing}
    with pytest.raises(RefusedError):
        Binding.of(members)
    with pytest.raises(RefusedError):
        Binding.of({**GOOD.members(), "more": 1})


def test_every_reason_says_what_to_do() -> None:
    assert ADVICE.keys() == set(Reason)
    refused = RefusedError(Reason.KEY_FILE_MISSING, "no file x")
    assert str(refused) == f"key_file_missing: no file x\n  -> {ADVICE[Reason.KEY_FILE_MISSING]}"
