# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A keyring: keys by version, one of which is in use. What an older version encrypted stays readable."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.model import Keys
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.text import KEY, Text


class Keyring:
    """``{"primary": 2, "keys": {"1": key, "2": key}}``: as a mapping in secrets.yml, as JSON in the file of a consumer."""

    size = KEY.size
    context = "keyring"
    grows = True
    derives = False
    wraps = True
    # It would be another one after each rotation of what it is derived from, and its versions would be gone.
    derivable = False
    schema: ClassVar[dict[str, Any]] = {
        "title": "{primary: <version>, keys: {<version>: <32 random bytes in base64>}}, with versions from 1",
        "type": "object",
        "additionalProperties": False,
        "required": ["primary", "keys"],
        "properties": {
            "primary": {"type": "integer", "minimum": 1},
            "keys": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": r"^[1-9][0-9]{0,8}$(?!\n)"},
                "additionalProperties": KEY.schema,
            },
        },
    }

    @property
    def part(self) -> Text:
        """A rotation brings the key of a new version."""
        return KEY

    def encode(self, raw: bytes) -> str:
        """The key of a version."""
        return KEY.encode(raw)

    def renew(self, old: str | None, part: str) -> str:
        """A ring with the key as its newest version, in use; the key that is in use already changes nothing."""
        ring: dict[str, Any] = json.loads(old) if old else {"primary": 0, "keys": {}}
        if ring["keys"].get(str(ring["primary"])) == part:
            return self.text(ring)
        newest = 1 + max(map(int, ring["keys"]), default=0)
        return self.text({"primary": newest, "keys": {**ring["keys"], str(newest): part}})

    def stored(self, value: str) -> dict[str, Any]:
        """The mapping."""
        ring: dict[str, Any] = json.loads(value)
        return ring

    def text(self, stored: Any) -> str:
        """JSON with versions in order, so that equal rings are equal texts."""
        keys = {version: stored["keys"][version] for version in sorted(stored["keys"], key=int)}
        return json.dumps({"primary": stored["primary"], "keys": keys})

    def fault(self, value: str) -> str:
        """Refuses a weak key, a key that stands twice, and a primary version that is not there."""
        ring = json.loads(value)
        for version, key in ring["keys"].items():
            if wrong := KEY.fault(key):
                return f"has a version {version} that {wrong}"
        if len(set(ring["keys"].values())) < len(ring["keys"]):
            return "has two versions with the same key"
        return "" if str(ring["primary"]) in ring["keys"] else f"has no version {ring['primary']}, its primary one"

    def keys(self, value: str) -> tuple[int, Keys]:
        """The primary version, and the key of each."""
        ring = json.loads(value)
        return ring["primary"], {int(version): KEY.read(key) for version, key in ring["keys"].items()}


KEYRING = Keyring()
