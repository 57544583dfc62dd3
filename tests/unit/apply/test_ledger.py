# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger knows what each base was applied as, and says so only when it knows of all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.ledger import Ledger
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def base(ledger: Ledger, role: str) -> Path:
    folder = ledger.state_dir / "rendered" / role
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").touch()
    return folder


def obj(name: str, kind: str = "ConfigMap", **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "gpuaas-app"}, **more}


def applied(ledger: Ledger) -> list[str]:
    return [str(identity) for identity in sorted(ledger.applied())]


def test_what_all_functions_have_is_applied(ledger: Ledger) -> None:
    ledger.enter([base(ledger, "control_plane")], [obj("api")])
    ledger.enter([base(ledger, "data_stores"), base(ledger, "ingress")], [obj("redis"), obj("traefik")])
    assert applied(ledger) == ["ConfigMap gpuaas-app/api", "ConfigMap gpuaas-app/redis", "ConfigMap gpuaas-app/traefik"]


def test_the_last_apply_of_a_base_counts(ledger: Ledger) -> None:
    folder = base(ledger, "control_plane")
    ledger.enter([folder], [obj("api-config-old")])
    ledger.enter([folder], [obj("api-config-new")])
    assert applied(ledger) == ["ConfigMap gpuaas-app/api-config-new"]


def test_a_function_that_is_gone_from_the_lane_counts_no_more(ledger: Ledger) -> None:
    ledger.enter([base(ledger, "control_plane")], [obj("api")])
    ledger.enter([base(ledger, "async_services")], [obj("queue")])
    shutil.rmtree(ledger.state_dir / "rendered" / "async_services")
    assert applied(ledger) == ["ConfigMap gpuaas-app/api"]


def test_claims_that_kubernetes_makes_for_a_set_are_applied_with_it(ledger: Ledger) -> None:
    spec = {"replicas": 2, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}
    ledger.enter([base(ledger, "async_services")], [{**obj("queue", "StatefulSet", spec=spec), "apiVersion": "apps/v1"}])
    claims = [f"PersistentVolumeClaim gpuaas-app/data-queue-{ordinal}" for ordinal in (0, 1)]
    assert applied(ledger) == [*claims, "StatefulSet gpuaas-app/queue"]


def refusal(ledger: Ledger) -> ParityError:
    with pytest.raises(ParityError) as caught:
        ledger.applied()
    return caught.value


def test_a_function_that_was_never_applied_is_an_error(ledger: Ledger) -> None:
    ledger.enter([base(ledger, "control_plane")], [obj("api")])
    base(ledger, "async_services")
    assert refusal(ledger).reason == "APPLY_INCOMPLETE"
    assert "rendered/async_services" in refusal(ledger).seen


def test_of_two_that_were_applied_together_one_alone_leaves_the_other_unknown(ledger: Ledger) -> None:
    both = [base(ledger, "control_plane"), base(ledger, "ingress")]
    ledger.enter(both, [obj("api"), obj("traefik")])
    ledger.enter(both[:1], [obj("api")])
    assert "rendered/ingress" in refusal(ledger).seen


def test_a_ledger_that_cannot_be_read_is_written_again(ledger: Ledger) -> None:
    folder = base(ledger, "control_plane")
    (ledger.state_dir / "applied.json").write_text("[")
    assert refusal(ledger).reason == "APPLY_INCOMPLETE"
    ledger.enter([folder], [obj("api")])
    assert applied(ledger) == ["ConfigMap gpuaas-app/api"]
    assert (ledger.state_dir / "applied.json").stat().st_mode & 0o777 == 0o600
