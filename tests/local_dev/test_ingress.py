"""The ingress of the project: what it keeps from those behind it."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.tests import slow_bodies

from .running import Running


def test_who_sends_slowly_holds_up_nobody(running: Running) -> None:
    with slow_bodies.crowd(running.contract, running.state_dir / "tls" / "ca.crt") as (bodies, _one):
        # In less than the ingress gives them up.
        assert bodies.served_in(5) == 401
