"""The realm's secrets may be derived or wrapped, as any other."""

from __future__ import annotations

import json

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.secret_values import load_secrets
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.derivation import with_derived
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.entries import closed
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.table import make
from ansible_collections.gpuaas.parity.tests.unit.keycloak.made_up_identity import Identity, values


def test_derived_and_wrapped_secrets_have_values(identity: Identity) -> None:
    wanted = {
        "root_key": {"type": "key"},
        "ring": {"type": "keyring"},
        "user_bob_password": {"type": "password", "derived_from": "root_key"},
        "user_alice_password": {"type": "password", "wrapped_by": "ring"},
    }
    made = with_derived({name: make(secret["type"]) for name, secret in wanted.items() if "derived_from" not in secret}, wanted)
    identity.secrets_file.write_text(json.dumps(values() | closed(made, wanted, {})), encoding="utf-8")
    found = load_secrets(str(identity.secrets_file), identity.document)
    for name in ("user_bob_password", "user_alice_password"):
        assert found[name] == made[name]
