# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running process says it was configured with is what the contract says."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.configuration import difference
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer, user_token
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx

# Of the control plane: gpuaas/configuration.py, and its README.
_LABEL = "gpuaas-configuration-v2"


def setting_digest(name: str, value: str, salt: str) -> str:
    """What a process tells of a setting: HMAC-SHA-256 keyed with its salt (hex), over the label, the name and the value.

    Zero bytes stand between them. Raises ValueError for a salt that is not hex.
    """
    return hmac.digest(bytes.fromhex(salt), f"{_LABEL}\0{name}\0{value}".encode(), "sha256").hex()


def secret_digest(name: str, value: str, salt: str) -> str:
    """What a process tells of a secret: HMAC-SHA-256 keyed with it, over the label, the name and the salt (hex)."""
    return hmac.digest(value.encode(), f"{_LABEL}\0{name}\0{salt}".encode(), "sha256").hex()


@dataclass(frozen=True)
class _Told:
    """Names with what a process told of them, each as text that can be compared."""

    salt: str
    types: dict[str, str]
    settings: dict[str, str]
    secrets: dict[str, str]
    unread: list[str]

    @classmethod
    def read(cls, document: Any) -> _Told:
        """Raises KeyError, TypeError, ValueError and AttributeError for another document."""
        settings = document["settings"].items()
        bytes.fromhex(document["salt"])
        return cls(
            salt=document["salt"],
            types={str(name): str(value["type"]) for name, value in settings},
            settings={str(name): str(value["hmac_sha256"]) for name, value in settings},
            secrets={str(name): str(value["hmac_sha256"]) for name, value in document["secrets"].items()},
            unread=[str(name) for name in document["unread"]],
        )

    @classmethod
    def wanted(cls, service: dict[str, Any], context: Context, salt: str) -> _Told:
        """What a process with the contract's configuration tells, salted as it did.

        Raises ParityError ``CONTRACT_NOT_RENDERED`` for a setting without a type, and for a secret without a value
        here ``SECRETS_EXPOSED``.
        """
        settings, secrets, types = service["settings"], service.get("secrets") or {}, service.get("types") or {}
        untyped = sorted(set(settings) - set(types))
        if untyped:
            raise ParityError("CONTRACT_NOT_RENDERED", f"the rendered contract has no type of {', '.join(untyped)}")
        return cls(
            salt=salt,
            types={str(name): str(types[name]) for name in settings},
            settings={str(name): setting_digest(str(name), str(value), salt) for name, value in settings.items()},
            secrets={str(name): secret_digest(str(name), _value(context, str(source)), salt) for name, source in secrets.items()},
            unread=[],
        )


@dataclass(frozen=True)
class ProcessConfiguration:
    """``url`` tells ``user``, who logged in through ``client``, what the process runs with: names, types and digests of
    its settings, names and digests of its secrets, and the variables that it does not read.

    The names and types are the contract's, each digest is that of the contract's value or of the secret that was
    generated, and nothing is unread. No message shows a value or a digest.
    """

    targets: ClassVar[frozenset[str]] = HERE
    component: str
    url: str
    user: str
    client: str

    def run(self, context: Context) -> Observation:
        try:
            answer = context.http.get(self.url, headers=bearer(user_token(context, self.user, self.client)))
        except httpx.TransportError as error:
            return failed("HTTP_UNREACHABLE", f"{self.url}: {type(error).__name__}: {error}")
        try:
            told = _Told.read(answer.json()) if answer.status_code == 200 else None
        except (ValueError, KeyError, TypeError, AttributeError):
            told = None
        if told is None:
            return failed("CONFIGURATION_DRIFT", f"{self.url}: {answer.status_code}, not a list of settings and secrets")
        service = context.service(self.component)
        wanted = _Told.wanted(service, context, told.salt)
        wrong = _differs(told, wanted)
        if wrong:
            return failed("CONFIGURATION_DRIFT", f"the process of {self.component} {wrong}")
        counts = f"{len(wanted.settings)} settings and {len(wanted.secrets)} secrets"
        return passed(f"the process of {self.component} runs with the contract's {counts}")


def _value(context: Context, name: str) -> str:
    try:
        return context.secret(name)
    except KeyError:
        raise ParityError("SECRETS_EXPOSED", f"secret {name} has no value on this machine") from None


def _differs(told: _Told, wanted: _Told) -> str:
    """How a process differs, in names only; empty when it does not."""
    for what, found, right in (
        ("setting", told.settings, wanted.settings),
        ("secret", told.secrets, wanted.secrets),
    ):
        wrong = difference(set(found), set(right))
        if wrong:
            return f"{wrong} ({what}s)"
        changed = [name for name in sorted(right) if not hmac.compare_digest(found[name], right[name])]
        if changed:
            return f"runs with another value of {what} {', '.join(changed)}"
    retyped = [name for name in sorted(wanted.types) if told.types[name] != wanted.types[name]]
    if retyped:
        name = retyped[0]
        return f"reads {name} as {told.types[name]}, the contract says {wanted.types[name]}"
    return f"does not read {', '.join(told.unread)}" if told.unread else ""
