# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""However a run ends, no session of an administrator is left."""

from __future__ import annotations

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.keycloak.fake_keycloak import Answer
from ansible_collections.gpuaas.parity.tests.unit.keycloak.made_up_identity import Identity

LOGOUT = ("POST", "/realms/master/protocol/openid-connect/logout")


def test_none_is_left_by_a_first_run_or_a_second(identity: Identity) -> None:
    for _run in range(2):
        identity.run()
        assert LOGOUT in identity.keycloak.log
        assert identity.keycloak.sessions == set()
        identity.keycloak.log.clear()


def test_none_is_left_by_a_token_that_expired(settled: Identity) -> None:
    def expire(method: str, path: str) -> None:
        if len(settled.keycloak.log) == 5:
            settled.keycloak.tokens.clear()

    settled.keycloak.answer_instead = expire
    settled.run()
    assert settled.keycloak.log.count(LOGOUT) == 2
    assert settled.keycloak.sessions == set()


def test_none_is_left_by_a_user_who_may_not_administer(settled: Identity) -> None:
    settled.keycloak.forbidding = True
    with pytest.raises(ParityError):
        settled.run()
    assert settled.keycloak.sessions == set()


@pytest.mark.parametrize("path", ["/admin/realms/gpuaas/clients", "/admin/realms/master/clients", "/admin/realms"])
def test_none_is_left_by_a_run_that_fails(identity: Identity, path: str) -> None:
    def fail(method: str, asked: str) -> Answer | None:
        # From the moment on in which the permanent administrator has a session.
        return Answer(400, {"error": "no"}) if asked == path and identity.keycloak.sessions else None

    identity.keycloak.answer_instead = fail
    try:
        identity.run()
    except ParityError:
        assert LOGOUT in identity.keycloak.log
    assert identity.keycloak.sessions == set()


@pytest.mark.parametrize("status", [500, 502, 503])
def test_what_was_posted_is_not_posted_again(identity: Identity, status: int) -> None:
    posted: list[str] = []

    def answer(method: str, path: str) -> Answer | None:
        if (method, path) != ("POST", "/admin/realms"):
            return None
        posted.append(path)
        return Answer(status, {"error": "unknown_error"})

    identity.keycloak.answer_instead = answer
    with pytest.raises(ParityError):
        identity.run(patience=2.0)
    assert posted == ["/admin/realms"]
