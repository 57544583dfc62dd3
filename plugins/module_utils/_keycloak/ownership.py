# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which users and groups of a realm are the document's, recorded in the realm itself.

People make users and groups too, and those are their data; everything else that a
realm holds is the document's or Keycloak's own. Realm attribute ``parity.owned``
lists them by kind; it is written before they are made, so that an interrupted run
never leaves one unclaimed. A realm without it is not ours.

Realm attribute ``parity.passwords`` holds for each user a salted digest of the
password that was set, and when Keycloak stored it. A changed secret and a
password that somebody changed in Keycloak both show, without a login attempt.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets as random
from collections.abc import Iterable
from dataclasses import dataclass, field

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.desired import Desired
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json, as_json

OWNED = "parity.owned"
PASSWORDS = "parity.passwords"
KINDS = ("groups", "users")


@dataclass(frozen=True)
class PasswordMark:
    """Which password a user was given: salted digest, and Keycloak's creation time of it (ms)."""

    salt: str
    digest: str
    stored: int

    @classmethod
    def of(cls, password: str, stored: int) -> PasswordMark:
        salt = random.token_hex(16)
        return cls(salt, _digest(salt, password), stored)

    def matches(self, password: str, stored: int | None) -> bool:
        """Whether Keycloak still holds this very password."""
        return stored == self.stored and hmac.compare_digest(self.digest, _digest(self.salt, password))


def _digest(salt: str, password: str) -> str:
    # SHA-256 is enough: passwords are random with at least 24 characters (_secrets.types).
    return hmac.new(salt.encode(), password.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Ownership:
    """Names of owned objects by kind, and the password marks by user."""

    owned: dict[str, frozenset[str]] = field(default_factory=dict)
    passwords: dict[str, PasswordMark] = field(default_factory=dict)

    def of(self, kind: str) -> frozenset[str]:
        return self.owned.get(kind, frozenset())

    def claiming(self, desired: Desired) -> Ownership:
        """This, and everything that the document asks for."""
        return Ownership({kind: self.of(kind) | names for kind, names in names_of(desired).items()}, self.passwords)

    def settled(self, desired: Desired, kept_groups: Iterable[str], marks: dict[str, PasswordMark]) -> Ownership:
        """What the document asks for and the groups that had to be kept, with these password marks for its users."""
        owned = names_of(desired)
        owned["groups"] |= frozenset(kept_groups)
        every = self.passwords | marks
        return Ownership(owned, {name: every[name] for name in desired.users if name in every})

    def attributes(self) -> dict[str, str]:
        """The realm attributes that record this."""
        owned = {kind: sorted(names) for kind, names in sorted(self.owned.items())}
        passwords = {name: [mark.salt, mark.digest, mark.stored] for name, mark in sorted(self.passwords.items())}
        return {
            OWNED: json.dumps(owned, separators=(",", ":")),
            PASSWORDS: json.dumps(passwords, separators=(",", ":")),
        }


def names_of(desired: Desired) -> dict[str, frozenset[str]]:
    """Names by kind that a document asks for."""
    names: dict[str, Iterable[str]] = {
        "groups": desired.groups,
        "users": desired.users,
    }
    return {kind: frozenset(names[kind]) for kind in KINDS}


def ownership_in(realm: Json) -> Ownership | None:
    """The record of a realm; None when the realm carries none, so that it is not ours.

    A damaged record of passwords only makes them be set again; a damaged
    record of objects counts as none.
    """
    attributes = as_json(realm.get("attributes"))
    try:
        listed = json.loads(attributes[OWNED])
        owned = {kind: frozenset(str(name) for name in listed.get(kind, [])) for kind in KINDS}
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    passwords: dict[str, PasswordMark] = {}
    try:
        for name, (salt, digest, stored) in json.loads(attributes.get(PASSWORDS, "{}")).items():
            passwords[name] = PasswordMark(str(salt), str(digest), int(stored))
    except (ValueError, TypeError, AttributeError):
        passwords = {}
    return Ownership(owned, passwords)
