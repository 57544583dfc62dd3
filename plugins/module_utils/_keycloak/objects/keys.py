# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys that a realm is made with."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json

_TYPE = "org.keycloak.keys.KeyProvider"
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
"""RFC 7518 section 3.4."""


def key_providers(signature: str) -> Json:
    """The components of a new realm whose tokens are signed with ``signature``.

    Without them Keycloak makes two pairs of RSA keys, for seconds. An elliptic curve needs neither: one pair signs, and
    the two symmetric keys are those that Keycloak's own cookies and tokens use. Nothing for RSA: then its defaults fit.
    """
    curve = _CURVES.get(signature)
    if curve is None:
        return {}
    providers = [
        ("ecdsa-generated", {"ecdsaEllipticCurveKey": [curve]}),
        ("hmac-generated", {"algorithm": ["HS512"]}),
        ("aes-generated", {}),
    ]
    return {
        "components": {
            _TYPE: [{"name": name, "providerId": name, "config": {"priority": ["100"]} | config} for name, config in providers],
        }
    }
