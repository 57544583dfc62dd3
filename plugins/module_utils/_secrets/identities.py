# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What components log in with that ask another one for their secrets, and in which lanes that is so.

The id of an identity follows from what it may read: after a rotation it is another one. So the processes concerned are
rolled out as those are that have files, and until both sides are new the server refuses instead of giving an old value.
"""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Mapping
from typing import Any

IDENTITY_ID, CLIENT_SECRET = "identity_id", "client_secret"


def identity_id(client_secret: str, values: Mapping[str, str]) -> str:
    """A UUID of HMAC-SHA-256 with its secret, over the values that it reads as JSON with sorted keys. The server computes the same."""
    document = json.dumps(dict(values), sort_keys=True, separators=(",", ":"))
    return str(uuid.UUID(bytes=hmac.digest(client_secret.encode(), document.encode(), "sha256")[:16]))


def asking(contract: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The components that ask one of the lane, each with the names of the secrets that this one keeps for it, by key."""
    services = contract["services"]
    kept = {key: secret for service in services.values() if service.get("keeps_secrets") for key, secret in service["secrets"].items()}
    found: dict[str, dict[str, str]] = {}
    for path, secret in kept.items():
        component, _separator, key = path.partition(".")
        if services.get(component, {}).get("identity"):
            found.setdefault(component, {})[key] = secret
    return found


def client_secrets(contract: Mapping[str, Any]) -> dict[str, str]:
    """``<component>/client_secret`` -> name of the secret. In a cluster nobody has one: there a token is shown."""
    if contract.get("target") != "compose":
        return {}
    return {f"{component}/{CLIENT_SECRET}": held[CLIENT_SECRET] for component, held in asking(contract).items()}


def ids(contract: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """``<component>/identity_id`` -> the id, given the value of each secret. One that has none yet gets it with the next `up`."""
    return {
        f"{component}/{IDENTITY_ID}": identity_id(
            values[held[CLIENT_SECRET]], {key: values[secret] for key, secret in held.items() if key != CLIENT_SECRET}
        )
        for component, held in asking(contract).items()
        if set(held.values()) <= set(values)
    }
