"""Which keys and names a security mode starts with, and which it refuses, by name."""

from __future__ import annotations

import itertools

import pytest

from gpuaas.encryption.refusal import ADVICE, Reason, RefusedError
from gpuaas.encryption.security import Held, MemberKeys, SecurityMode, refuse

LOOPBACK = "https://auth.demo.gpuaas.localhost:8443/realms/gpuaas"
PUBLIC = "https://auth.gpuaas.vm-105.internal/realms/gpuaas"
ROOTS = ("file", "awskms", "none")
REFUSED = {
    ("STAGING", "file", "escrow"): Reason.SECURITY_FILE_KEYS,
    ("STAGING", "file", "devices"): Reason.SECURITY_FILE_KEYS,
    ("STAGING", "none", "escrow"): Reason.SECURITY_ESCROW_WITHOUT_KMS,
    ("PROD", "file", "escrow"): Reason.SECURITY_FILE_KEYS,
    ("PROD", "file", "devices"): Reason.SECURITY_FILE_KEYS,
    ("PROD", "awskms", "escrow"): Reason.SECURITY_ESCROW,
    ("PROD", "none", "escrow"): Reason.SECURITY_ESCROW,
}


@pytest.mark.parametrize(("mode", "root", "members"), list(itertools.product(SecurityMode, ROOTS, MemberKeys)))
def test_every_combination_of_keys(mode: SecurityMode, root: str, members: MemberKeys) -> None:
    held = Held(root, members, {"GPUAAS_OIDC_ISSUER": LOOPBACK})
    reason = REFUSED.get((mode, root, members))
    if reason is None:
        refuse(mode, held)
        return
    with pytest.raises(RefusedError) as caught:
        refuse(mode, held)
    assert caught.value.reason is reason
    assert mode in caught.value.seen


@pytest.mark.parametrize(
    "url",
    [
        PUBLIC,
        "https://gpuaas.localhost.example.com",
        "https://notlocalhost",
        "https://127.0.0.1:8443",
        "https://localhost@evil.example",
        "https://192.168.0.10",
    ],
)
def test_local_only_where_nobody_else_comes(url: str) -> None:
    with pytest.raises(RefusedError) as caught:
        refuse(SecurityMode.LOCAL, Held("file", MemberKeys.ESCROW, {"GPUAAS_API": LOOPBACK, "GPUAAS_WEB_URL": url}))
    assert caught.value.reason is Reason.SECURITY_PUBLIC_DOMAIN
    assert "GPUAAS_WEB_URL" in caught.value.seen


@pytest.mark.parametrize(
    "url", [LOOPBACK, "https://localhost:8443", "https://AUTH.GPUAAS.LOCALHOST", "https://web.localhost.:1"]
)
def test_local_under_localhost(url: str) -> None:
    refuse(SecurityMode.LOCAL, Held("file", MemberKeys.ESCROW, {"GPUAAS_WEB_URL": url}))


@pytest.mark.parametrize("mode", [SecurityMode.STAGING, SecurityMode.PROD])
@pytest.mark.parametrize("url", [LOOPBACK, PUBLIC])
def test_other_modes_go_anywhere(mode: SecurityMode, url: str) -> None:
    refuse(mode, Held("awskms", MemberKeys.DEVICES, {"GPUAAS_WEB_URL": url}))


@pytest.mark.parametrize("word", ["", "prod", "Prod", "PRODUCTION", " PROD", "PROD ", "LOCAL,PROD", "DEV"])
def test_the_word_is_exact(word: str) -> None:
    with pytest.raises(RefusedError) as caught:
        SecurityMode.of(word)
    assert caught.value.reason is Reason.SECURITY_MODE_UNKNOWN
    assert caught.value.advice == ADVICE[Reason.SECURITY_MODE_UNKNOWN]
