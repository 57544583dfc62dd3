# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run: log in, compare, change, say goodbye to the temporary administrator.

Every step can be the last one of an interrupted run; the next run goes on from
what it finds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.actual import Actual, observe, together
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.admin import (
    Administrators,
    SignedIn,
    become_permanent,
    plan_admin,
    plan_farewell,
    sign_in,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.desired import Desired, desired_from
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.document import load_document
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.master import plan_master
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.realm import record
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.patience import Patient
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.plan import carry_out, plan
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.secret_values import load_secrets
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit, nobody
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import previous

TIMEOUT = 30.0
"""Seconds for one answer: the first ones of a cold Keycloak load classes and make keys."""


@dataclass(frozen=True)
class Request:
    """What to keep equal to what. ``bootstrap_secret`` is the name of a secret, not its value.

    ``patience`` is the seconds for which a Keycloak that was there is waited for; ``emit`` is told of it.
    """

    document: object
    ca_file: str | None
    secrets_file: str
    bootstrap_client_id: str
    bootstrap_secret: str
    adopt: bool = False
    check: bool = False
    patience: float = 60.0
    emit: Emit = nobody


@dataclass
class Outcome:
    """The changes that were made or, in check mode, would be; and the users and groups that somebody made, which stay."""

    realm: str
    issuer: str
    requests: int = 0
    changes: list[Change] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def bootstrap(request: Request) -> Outcome:
    """Make Keycloak equal to the document.

    Raises ParityError: KEYCLOAK_REALM_INVALID, KEYCLOAK_SECRETS, KEYCLOAK_UNREACHABLE,
    KEYCLOAK_AUTH, KEYCLOAK_CONFLICT or KEYCLOAK_API; and what ``_secrets.previous`` raises.
    """
    document = load_document(request.document)
    secrets = load_secrets(request.secrets_file, document, request.bootstrap_secret)
    desired = desired_from(document, secrets)
    replaced = previous.beside(Path(request.secrets_file))
    old = previous.values_of(replaced)
    who = Administrators(
        desired.admin_name,
        desired.admin_password,
        request.bootstrap_client_id,
        secrets[request.bootstrap_secret],
        tuple(old.get(document["admin"]["password"], ())),
        tuple(old.get(request.bootstrap_secret, ())),
    )
    try:
        http = client(request.ca_file, base_url=desired.admin_url, timeout=TIMEOUT)
    except OSError as error:
        raise ParityError("KEYCLOAK_UNREACHABLE", f"CA file {request.ca_file} cannot be used: {error}") from None
    asked: list[httpx.Request] = []
    http.event_hooks = {"request": [asked.append]}
    with http:
        outcome = _run(Patient(http, request.patience, request.emit), request, desired, who)
    outcome.requests = len(asked)
    if not request.check:
        # Services have their new secrets before the realm is kept, so nothing uses an old one any more.
        previous.forget(replaced)
    return outcome


def _run(http: Patient, request: Request, desired: Desired, who: Administrators) -> Outcome:
    outcome = Outcome(desired.realm, f"{desired.url}/realms/{desired.realm}")
    now = sign_in(http, who)
    sessions = [now]
    try:
        farewell = plan_farewell(now, who)
        work, master = _compared(now, desired, who)
        changes = plan(work, adopt=request.adopt)
        outcome.changes = [*master, *(admin := plan_admin(now, who)), *changes, *farewell]
        outcome.kept = sorted(work.beside | {f"group {path}" for path in work.kept_groups})
        if not request.check:
            # Before the first administrator has a password that one could guess at.
            carry_out(master)
            after = _carry_out(work, changes, now, partial(_permanent, http, now, who, admin, sessions))
            together([partial(_settle, work), partial(carry_out, plan_farewell(after, who))])
    finally:
        for session in sessions:
            session.api.log_out()
    return outcome


def _compared(now: SignedIn, desired: Desired, who: Administrators) -> tuple[Work, list[Change]]:
    """The realm to compare, and what is to be changed in realm master."""
    master, there = together([partial(plan_master, now.api, desired, who), lambda: now.permanent or now.api.get(desired.realm) is not None])
    actual = observe(now.api, desired.realm, desired.users) if there else Actual(settings=None)
    return Work(now.api, desired, actual), master


def _carry_out(work: Work, changes: list[Change], now: SignedIn, permanent: Callable[[], SignedIn]) -> SignedIn:
    """Make the changes; who is signed in afterwards, and works on, is the ``permanent`` administrator."""
    if now.permanent:
        after = permanent()
        work.api = after.api
        _reconcile(work, changes)
        return after
    # Slow hashes of passwords, most of both, and neither needs the other.
    after = cast(SignedIn, together([permanent, lambda: _reconcile(work, changes)])[0])
    work.api = after.api
    return after


def _permanent(http: Patient, now: SignedIn, who: Administrators, admin: list[Change], sessions: list[SignedIn]) -> SignedIn:
    """The permanent administrator, signed in; noted in ``sessions`` at once, since what is done meanwhile can fail."""
    carry_out(admin)
    after = become_permanent(http, now, who)
    if after is not now:
        sessions.append(after)
    return after


def _reconcile(work: Work, changes: list[Change]) -> None:
    if not work.new_realm and changes:
        # Claimed before it is made: what an interrupted run leaves is still known as ours.
        record(work, work.ownership.claiming(work.desired))
    carry_out(changes)


def _settle(work: Work) -> None:
    record(work, work.ownership.settled(work.desired, work.kept_groups, work.passwords_set))
