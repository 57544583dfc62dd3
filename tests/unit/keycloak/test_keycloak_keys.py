"""What keys a new realm is given."""

from __future__ import annotations

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.keys import key_providers


@pytest.mark.parametrize(("signature", "curve"), [("ES256", "P-256"), ("ES384", "P-384"), ("ES512", "P-521")])
def test_an_elliptic_curve_comes_without_rsa(signature: str, curve: str) -> None:
    providers = key_providers(signature)["components"]["org.keycloak.keys.KeyProvider"]
    assert [provider["providerId"] for provider in providers] == ["ecdsa-generated", "hmac-generated", "aes-generated"]
    assert providers[0]["config"]["ecdsaEllipticCurveKey"] == [curve]


@pytest.mark.parametrize("signature", ["RS256", "PS512"])
def test_rsa_is_what_keycloak_makes_by_itself(signature: str) -> None:
    assert key_providers(signature) == {}
