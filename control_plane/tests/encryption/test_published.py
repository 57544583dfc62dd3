"""Vectors that others published, through the code that is used here: joserfc's models, and our reading of keys.

Those of RFCs are in ``vectors/published.json``, those of NIST (CAVP) and of RFC 5869 in the package cryptography-vectors.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe, jws
from joserfc._rfc7518.derive_key import derive_key_for_concat_kdf
from joserfc.errors import BadSignatureError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, JWKRegistry, OctKey

from gpuaas.encryption import keys, strict
from gpuaas.encryption.refusal import Kind, RefusedError

PUBLISHED = json.loads((Path(__file__).parent / "vectors" / "published.json").read_text())
ES256 = jws.JWSRegistry.algorithms["ES256"]
A256GCM = jwe.JWERegistry.algorithms["enc"]["A256GCM"]
A256KW = cast(Any, jwe.JWERegistry.algorithms["alg"]["A256KW"])


def _key(name: str, member: str = "key") -> ECKey:
    return keys.read_private(PUBLISHED[name][member], Kind.ENVELOPE)


def _vectors(file: str, within: str) -> Iterator[dict[str, str]]:
    """The vectors of a NIST file in sections of which the name matches ``within``."""
    section, vector = "", {}
    with cryptography_vectors.open_vector_file(file, "r") as lines:
        # An empty line ends a vector, and some files end without one.
        for line in [*(line.strip() for line in lines), ""]:
            if line.startswith("["):
                # Sections of several lines begin where an earlier one is given again.
                name = line[1:].partition(" ")[0]
                section = f"{section.partition(f'[{name} =')[0]}{line}" if " = " in line else line
            elif line == "FAIL":
                vector["FAIL"] = ""
            elif " = " in line or line.endswith(" ="):
                name, _separator, value = line.partition("=")
                vector[name.strip()] = value.strip()
            elif not line and len(vector) > 1:
                if re.search(within, section):
                    yield vector
                vector = {}


def _bytes(vector: dict[str, str], *names: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(vector[name]) for name in names)


def _jwk(x: str, y: str, d: str | None = None) -> dict[str, object]:
    """Coordinates of NIST as a JWK; they leave out leading noughts at times."""
    numbers = {"x": x, "y": y} | ({} if d is None else {"d": d})
    return {
        "kty": "EC",
        "crv": "P-256",
        **{name: strict.encode(bytes.fromhex(n.zfill(64))) for name, n in numbers.items()},
    }


def test_rfc_7515_a_signature_by_es256() -> None:
    vector = PUBLISHED["rfc7515_a3"]
    signed = jws.deserialize_compact(vector["jws"], _key("rfc7515_a3"), ["ES256"])
    assert json.loads(signed.payload or b"") == {
        "iss": "joe",
        "exp": 1300819380,
        "http://example.com/is_root": True,
    }
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(vector["jws"], _key("rfc7517_a2"), ["ES256"])


def test_rfc_7515_what_is_not_signed() -> None:
    with pytest.raises(UnsupportedAlgorithmError):
        jws.deserialize_compact(PUBLISHED["rfc7515_a5"]["jws"], _key("rfc7515_a3"), ["ES256"])


def test_rfc_7516_compact_and_general_json() -> None:
    allowed = ["A128KW", "A128CBC-HS256"]
    for name, decrypt in (("rfc7516_a3", jwe.decrypt_compact), ("rfc7516_a4", jwe.decrypt_json)):
        vector = PUBLISHED[name]
        key = OctKey.import_key(vector["key"])
        assert decrypt(vector["jwe"], key, allowed).plaintext == vector["plaintext"].encode()
        with pytest.raises(JoseError):
            decrypt(vector["jwe"], OctKey.generate_key(128), allowed)
        with pytest.raises(UnsupportedAlgorithmError):
            decrypt(vector["jwe"], key, ["ECDH-ES+A256KW", "A256GCM"])


def test_rfc_7517_a_key_and_its_halves() -> None:
    given = PUBLISHED["rfc7517_a2"]["key"]
    assert keys.private(_key("rfc7517_a2")) == given
    with pytest.raises(RefusedError):
        keys.read_private({**given, "d": PUBLISHED["rfc7515_a3"]["key"]["d"]}, Kind.ENVELOPE)


def test_rfc_7518_ecdh_es_with_concat_kdf() -> None:
    vector = PUBLISHED["rfc7518_c"]
    alice, bob = _key("rfc7518_c", "alice"), _key("rfc7518_c", "bob")
    shared = bob.exchange_derive_key(alice)
    assert shared == alice.exchange_derive_key(bob)
    assert strict.encode(derive_key_for_concat_kdf(shared, vector["header"], 128, None)) == vector["derived"]
    for change in ({"apu": "Qm9i"}, {"apv": "QWxpY2U"}, {"enc": "A256GCM"}):
        other = derive_key_for_concat_kdf(shared, {**vector["header"], **change}, 128, None)
        assert strict.encode(other) != vector["derived"]


def test_rfc_7638_a_thumbprint() -> None:
    vector = PUBLISHED["rfc7638_3_1"]
    assert JWKRegistry.import_key(vector["key"]).thumbprint() == vector["thumbprint"]


def test_rfc_5869_hkdf() -> None:
    with cryptography_vectors.open_vector_file("KDF/rfc-5869-HKDF-SHA256.txt", "r") as file:
        cases = [dict(re.findall(r"(\w+) *= *(\w*)", case)) for case in file.read().split("COUNT")[1:]]
    assert len(cases) == 3
    for case in cases:
        ikm, salt, info, okm = _bytes(case, "IKM", "salt", "info", "OKM")
        assert HKDF(SHA256(), int(case["L"]), salt, info).derive(ikm) == okm


def test_nist_aes_256_gcm() -> None:
    within = r"Keylen = 256\]\[IVlen = 96\].*\[Taglen = 128\]"
    good = bad = 0
    for vector in _vectors("ciphers/AES/GCM/gcmEncryptExtIV256.rsp", within):
        key, iv, aad, plaintext, ciphertext, tag = _bytes(vector, "Key", "IV", "AAD", "PT", "CT", "Tag")
        assert A256GCM.encrypt(plaintext, key, iv, aad) == (ciphertext, tag)
        good += 1
    for vector in _vectors("ciphers/AES/GCM/gcmDecrypt256.rsp", within):
        key, iv, aad, ciphertext, tag = _bytes(vector, "Key", "IV", "AAD", "CT", "Tag")
        if "FAIL" in vector:
            with pytest.raises(JoseError):
                A256GCM.decrypt(ciphertext, tag, key, iv, aad)
            bad += 1
        else:
            assert A256GCM.decrypt(ciphertext, tag, key, iv, aad) == _bytes(vector, "PT")[0]
            good += 1
    assert (good, bad) == (559, 191)


def test_nist_a_short_tag_is_not_taken() -> None:
    seen = 0
    for vector in _vectors("ciphers/AES/GCM/gcmDecrypt256.rsp", r"IVlen = 96\].*\[Taglen = (32|64|96|104|112|120)\]"):
        key, iv, aad, ciphertext, tag = _bytes(vector, "Key", "IV", "AAD", "CT", "Tag")
        with pytest.raises((JoseError, ValueError)):
            A256GCM.decrypt(ciphertext, tag, key, iv, aad)
        seen += 1
    assert seen > 1000


def test_nist_aes_256_key_wrap() -> None:
    good = bad = 0
    for vector in _vectors("keywrap/kwtestvectors/KW_AE_256.txt", ""):
        key, plaintext, wrapped = _bytes(vector, "K", "P", "C")
        assert A256KW.wrap_cek(plaintext, key) == wrapped
        good += 1
    for vector in _vectors("keywrap/kwtestvectors/KW_AD_256.txt", ""):
        key, wrapped = _bytes(vector, "K", "C")
        if "FAIL" in vector:
            with pytest.raises(JoseError):
                A256KW.unwrap_cek(wrapped, key)
            bad += 1
        else:
            assert A256KW.unwrap_cek(wrapped, key) == _bytes(vector, "P")[0]
            good += 1
    assert (good, bad) == (900, 100)


def test_nist_ecdsa_on_p_256() -> None:
    results = []
    for vector in _vectors("asymmetric/ECDSA/FIPS_186-3/SigVer.rsp", r"^\[P-256,SHA-256\]"):
        (message,) = _bytes(vector, "Msg")
        signature = bytes.fromhex(vector["R"].zfill(64) + vector["S"].zfill(64))
        try:
            key = keys.read_public(_jwk(vector["Qx"], vector["Qy"]), Kind.ENVELOPE)
            verified = ES256.verify(message, signature, key)
        except RefusedError:
            verified = False
        assert verified == vector["Result"].startswith("P"), vector["Result"]
        results.append(verified)
    assert (len(results), sum(results)) == (15, 3)


def test_nist_ecdh_on_p_256() -> None:
    results = []
    for vector in _vectors(
        "asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_resp.fax", r"^\[EC - SHA256\]"
    ):
        try:
            theirs = keys.read_public(_jwk(vector["QsCAVSx"], vector["QsCAVSy"]), Kind.ENVELOPE)
            ours = keys.read_private(_jwk(vector["QsIUTx"], vector["QsIUTy"], vector["dsIUT"]), Kind.ENVELOPE)
            agreed = hashlib.sha256(ours.exchange_derive_key(theirs)).hexdigest() == vector["CAVSHashZZ"]
        except RefusedError:
            agreed = False
        assert agreed == vector["Result"].startswith("P"), vector["Result"]
        results.append(agreed)
    assert (len(results), sum(results)) == (30, 18)
