"""Every way a token is refused, with its stable code and challenge."""

from __future__ import annotations

import base64
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from support.issuer import Issuer

STRANGER = RSAKey.generate_key(2048, {"kid": "rsa-1"})
UNKNOWN = RSAKey.generate_key(2048, {"kid": "unknown"})


def get(api: httpx.Client, token: str | None) -> httpx.Response:
    return api.get("/v1/instances", headers={"Authorization": f"Bearer {token}"} if token else {})


def written_by_hand(claims: dict[str, Any], alg: str, key: bytes | None = None) -> str:
    """What a library would refuse to sign: nothing, or the public key as an HMAC secret."""
    parts = [json.dumps(part).encode() for part in ({"alg": alg, "kid": "rsa-1", "typ": "JWT"}, claims)]
    text = ".".join(encoded(part) for part in parts)
    return f"{text}.{encoded(hmac.digest(key, text.encode(), 'sha256')) if key else ''}"


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_good_token(api: httpx.Client, issuer: Issuer, algorithm: str) -> None:
    token = issuer.token(key=issuer.ec if algorithm == "ES256" else issuer.rsa)
    assert get(api, token).status_code == 200


def test_rfc9068_header_type_is_enough(api: httpx.Client, issuer: Issuer) -> None:
    assert get(api, issuer.token({"typ": "at+jwt"}, typ=None)).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}])
def test_no_token(api: httpx.Client, headers: dict[str, str]) -> None:
    response = api.get("/v1/instances", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "token_missing")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="gpuaas"'


def test_a_token_may_be_so_long_and_no_longer(api: httpx.Client, issuer: Issuer) -> None:
    """16 KiB, less or more by what base64 cannot say."""
    most = 16384
    room = most - len(issuer.token(pad=""))
    padded = [issuer.token(pad="x" * length) for length in range(room * 3 // 4 - 8, room * 3 // 4 + 8)]
    longest = max((token for token in padded if len(token) <= most), key=len)
    longer = min((token for token in padded if len(token) > most), key=len)
    assert (get(api, longest).status_code, get(api, longer).json()["code"]) == (200, "token_malformed")
    assert most - 2 <= len(longest) < len(longer) <= most + 2


def refusals(issuer: Issuer) -> dict[str, tuple[str, str]]:
    now = int(time.time())
    misused = RSAKey.import_key(issuer.encryption.as_pem(private=True), {"kid": "enc-1"})
    good = issuer.token()
    return {
        "expired": (issuer.token(exp=now - 2), "token_expired"),
        "not yet": (issuer.token(nbf=now + 60), "token_not_yet_valid"),
        "no expiry": (issuer.token(exp=None), "token_malformed"),
        "expiry is text": (issuer.token(exp="soon"), "token_malformed"),
        "audience": (issuer.token(aud="account"), "token_audience"),
        "no audience": (issuer.token(aud=None), "token_audience"),
        "issuer": (issuer.token(iss=issuer.url + "/"), "token_issuer"),
        "no issuer": (issuer.token(iss=None), "token_issuer"),
        "another key": (issuer.token(key=STRANGER), "token_signature"),
        "unknown key": (issuer.token(key=UNKNOWN), "token_signature"),
        "no key id": (issuer.token({"kid": None}), "token_signature"),
        "encryption key": (issuer.token(key=misused), "token_signature"),
        "changed": (good[:-8] + ("A" * 8 if not good.endswith("A" * 8) else "B" * 8), "token_signature"),
        "alg none": (written_by_hand(issuer.claims(), "none"), "token_signature"),
        "alg confusion": (
            written_by_hand(issuer.claims(), "HS256", issuer.rsa.as_pem(private=False)),
            "token_signature",
        ),
        "identity token": (issuer.token(typ="ID"), "token_malformed"),
        "refresh token": (issuer.token(typ="Refresh"), "token_malformed"),
        "no subject": (issuer.token(sub=None), "token_malformed"),
        "not a token": ("abc", "token_malformed"),
        "three words": ("a.b.c", "token_malformed"),
        "too long": ("a" * 20000 + ".b.c", "token_malformed"),
    }


CASES = [
    "expired",
    "not yet",
    "no expiry",
    "expiry is text",
    "audience",
    "no audience",
    "issuer",
    "no issuer",
    "another key",
    "unknown key",
    "no key id",
    "encryption key",
    "changed",
    "alg none",
    "alg confusion",
    "identity token",
    "refresh token",
    "no subject",
    "not a token",
    "three words",
    "too long",
]


@pytest.mark.parametrize("case", CASES)
def test_refused(api: httpx.Client, issuer: Issuer, case: str) -> None:
    token, code = refusals(issuer)[case]
    response = get(api, token)
    body = response.json()
    assert (response.status_code, body["code"]) == (401, code)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert body["status"] == 401
    assert body["type"] == f"urn:gpuaas:problem:{code}"
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert token not in response.text


def test_leeway_forgives_a_second(api: httpx.Client, issuer: Issuer) -> None:
    now = time.time()
    assert get(api, issuer.token(nbf=now + 0.5)).status_code == 200


def test_rotated_key_is_fetched_once_needed(api: httpx.Client, issuer: Issuer) -> None:
    assert get(api, issuer.token()).status_code == 200
    assert issuer.jwks_requests == 1
    for _round in range(3):
        assert get(api, issuer.token()).status_code == 200
    assert issuer.jwks_requests == 1


def test_unknown_keys_do_not_flood_the_issuer(api: httpx.Client, issuer: Issuer) -> None:
    forged = [issuer.token({"kid": f"made-up-{number}"}) for number in range(10)]
    for _round in range(2):
        with ThreadPoolExecutor(10) as threads:
            answers = list(threads.map(lambda token: get(api, token), forged))
        assert {answer.json()["code"] for answer in answers} == {"token_signature"}
    # The first fetch, and perhaps another one for those who came after it had begun.
    assert issuer.jwks_requests <= 2


def test_foreign_tokens_cost_the_issuer_nothing(api: httpx.Client, issuer: Issuer) -> None:
    assert get(api, issuer.token(iss="https://elsewhere.example")).json()["code"] == "token_issuer"
    assert issuer.jwks_requests == 0


def test_issuer_away_is_not_the_callers_fault(api: httpx.Client, issuer: Issuer) -> None:
    issuer.down = True
    response = get(api, issuer.token())
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response.headers["Retry-After"] == "1"


def test_known_keys_outlive_the_issuer(api: httpx.Client, issuer: Issuer) -> None:
    assert get(api, issuer.token()).status_code == 200
    issuer.down = True
    assert get(api, issuer.token()).status_code == 200


def test_discovery_document_of_another_issuer(api: httpx.Client, issuer: Issuer) -> None:
    issuer.document_issuer = "https://elsewhere.example/realms/gpuaas"
    assert get(api, issuer.token()).status_code == 503
