# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose database a role of Postgres is for: by the names of the passwords that components share with it, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.tests.unit.contract.reference import PLATFORM

SCRIPT = PLATFORM.components["postgres"].folder / "kubernetes/roles.sh"


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        (["shop"], ["shop of shop, owned by shop"]),
        (["shop", "shop_owner"], ["shop of shop, owned by shop_owner", "shop_owner of shop, owned by shop_owner"]),
        (
            ["shop", "shop_mail", "shop_owner"],
            [
                "shop of shop, owned by shop_owner",
                "shop_mail of shop, owned by shop_owner",
                "shop_owner of shop, owned by shop_owner",
            ],
        ),
        # A database beside another one, whose name begins alike.
        (
            ["shop", "shop_owner", "shop_search", "shop_search_owner"],
            [
                "shop of shop, owned by shop_owner",
                "shop_owner of shop, owned by shop_owner",
                "shop_search of shop_search, owned by shop_search_owner",
                "shop_search_owner of shop_search, owned by shop_search_owner",
            ],
        ),
        # Who owns its database alone has nobody beside it.
        (["shop", "shop_mail"], ["shop of shop, owned by shop", "shop_mail of shop_mail, owned by shop_mail"]),
    ],
)
def test_a_role_is_of_the_database_that_its_name_says(tmp_path: Path, shared: list[str], expected: list[str]) -> None:
    for name in ("superuser", *shared):
        (tmp_path / f"{name}_password").write_text("x")
    script = SCRIPT.read_text(encoding="utf-8").replace("/run/secrets/gpuaas", str(tmp_path))
    loop = 'for role in $(roles); do d=$(database_of "$role"); echo "$role of $d, owned by $(owner_of "$d")"; done'
    done = subprocess.run(["/bin/sh", "-euc", f"{script}\n{loop}"], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.splitlines()) == expected
