"""No secret of the run, in any spelling, may be left in a text."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.patterns import MASK, mask_shapes
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.redaction import Redactor, knowledge_of
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.derivation import with_derived
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.entries import closed, opened
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.table import make
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

# What generated and hand-written passwords are made of; the mask's own characters aside.
PASSWORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_characters="[*]\x7f", categories=["L", "N", "P", "S"]),
    min_size=6,
    max_size=40,
)
SURROUNDINGS = st.text(max_size=30)


def key_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


@given(PASSWORDS, SURROUNDINGS, SURROUNDINGS)
def test_a_known_value_is_never_left(value: str, before: str, after: str) -> None:
    assert value not in Redactor([value])(before + value + after)


@given(PASSWORDS, st.binary(max_size=9), st.binary(max_size=9))
def test_a_value_inside_base64_is_not_recoverable(value: str, before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + value.encode() + after).decode()
        assert text not in Redactor([value])(f"Basic {text} done").split()
        assert MASK in Redactor([value])(text)


@given(PASSWORDS, st.binary(max_size=5), st.binary(max_size=5))
def test_a_value_inside_base64_of_base64_is_not_recoverable(value: str, before: bytes, after: bytes) -> None:
    text = base64.b64encode(before + base64.b64encode(before + value.encode() + after) + after).decode()
    assert MASK in Redactor([value])(text)


@given(PASSWORDS)
@pytest.mark.parametrize(
    "spell",
    [
        lambda v: urllib.parse.quote(v, safe=""),
        urllib.parse.quote_plus,
        lambda v: urllib.parse.urlencode({"p": v}).removeprefix("p="),
        lambda v: urllib.parse.quote(v, safe="").lower() if v.islower() else urllib.parse.quote(v),
        json.dumps,
        lambda v: json.dumps({"password": v}, ensure_ascii=False),
        html.escape,
        lambda v: v.encode().hex(),
        lambda v: base64.b64encode(base64.b64encode(v.encode())).decode(),
        repr,
        lambda v: f"postgresql://gpuaas:{v}@postgres/gpuaas",
    ],
    ids=["quote", "quote_plus", "form", "lower", "json", "json-utf8", "html", "hex", "base64-twice", "repr", "uri"],
)
def test_every_spelling_of_a_value_is_masked(spell: object, value: str) -> None:
    assert callable(spell)
    text = spell(value)
    assert text not in Redactor([value])(f"x {text} y")


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_masked_in_the_encodings_it_is_not_stored_in(raw: bytes) -> None:
    redact = Redactor([base64.b64encode(raw).decode()])
    for text in (base64.urlsafe_b64encode(raw).decode().rstrip("="), raw.hex(), raw.hex().upper()):
        assert redact(f"key={text}") == f"key={MASK}"


@pytest.mark.parametrize("size", [12, 16, 31, 32])
def test_a_key_is_known_without_its_padding_and_however_short(size: int) -> None:
    raw = bytes(range(200, 200 + size))
    value = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert Redactor([value])(f"key={raw.hex()}") == f"key={MASK}"


def test_a_value_that_json_escapes_is_masked_amid_a_text() -> None:
    text = json.dumps({"msg": 'it is é"x123 today'}, ensure_ascii=False)
    assert Redactor(['é"x123'])(text) == json.dumps({"msg": f"it is {MASK} today"})


def test_a_value_that_is_part_of_another_leaves_no_rest() -> None:
    assert Redactor(["correct", "correct-horse-battery"])("is correct-horse-battery") == f"is {MASK}"


def test_a_short_value_is_masked_where_it_stands_alone() -> None:
    assert Redactor(["ab"])("ab cab (ab) abc") == f"{MASK} cab ({MASK}) abc"


def test_an_empty_value_masks_nothing() -> None:
    assert Redactor([""])("nothing to hide") == "nothing to hide"


def test_ordinary_text_is_left_alone() -> None:
    text = (
        'reason: FailedMount secret "api-secrets" not found\n'
        "http://api.gpuaas-control-plane.svc.cluster.local:8000/v1/instances?limit=5\n"
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n"
    )
    assert Redactor(["correct-horse-battery"])(text) == text


# A secret that nobody told us of, in what logs are made of.
NAMED = [
    '{"user": "alice", "password": "Hunter2"}',
    '{"redis_password":"x\\"Hunter2","next":1}',
    '{"clientSecret": "x\\\\", "access_token": "Hunter2"}',
    json.dumps({"msg": json.dumps({"password": "Hunter2", "user": "alice"})}),
    json.dumps({"msg": json.dumps({"password": 'x"Hunter2'})}),
    json.dumps({"outer": json.dumps({"msg": json.dumps({"api_key": 'x"Hunter2'})})}),
    repr({"password": "it's Hunter2"}),
    repr({"password": b"Hunter2"}),
    "connection to host=postgres user=gpuaas password=Hunter2 dbname=gpuaas failed",
    "host=postgres password='it\\'s Hunter2' dbname=gpuaas",
    "host=postgres password='Hunter2",
    "password = x,y;Hunter2",
    "PGPASSWORD=Hunter2 psql",
    "grant_type=password&username=alice&password=Hunter2&scope=openid",
    "statement: ALTER ROLE gpuaas PASSWORD 'it''s Hunter2'",
    "postgresql://gpuaas:p@ss:Hunter2@postgres:5432/gpuaas",
    "redis://:Hunter2@redis:6379/0",
    "https://ghp_0123456789Hunter2@git.example/x.git",
    "Authorization: Basic Hunter2",
    "authorization: ApiKey Hunter2",
    "Authorization: 0123456789abcdefHunter2",
    'Authorization: Digest username="alice", realm="x", response="Hunter2"',
    "headers=[(b'authorization', b'Bearer Hunter2')]",
    json.dumps({"msg": json.dumps({"authorization": "Bearer Hunter2"})}),
    "map[Accept:[*/*] Authorization:[Bearer Hunter2] Cookie:[a=b]]",
    "X-Vault-Token: Hunter2",
    "Cookie: theme=dark; session=Hunter2",
    'Cookie: theme="dark blue"; session=Hunter2',
    "map[Cookie:[theme=dark; session=Hunter2] Accept:[*/*]]",
    "set-cookie: session=Hunter2; Path=/; HttpOnly",
    '{"cookie": "theme=dark; session=Hunter2", "status": 200}',
    json.dumps({"msg": json.dumps({"set-cookie": ["session=Hunter2"]})}),
    "[('cookie', 'theme=dark; session=Hunter2')]",
    '{"cookies": {"__Host-session": "Hunter2"}}',
    "GET /?next=https%3A%2F%2Fweb%2Fcallback%3Fstate%3Dx%26code%3DHunter2%26x%3D1",
    "Location: https://web/callback#access_token=Hunter2&x=1",
    '"url":"https://web/callback?a=b\\u0026code=Hunter2\\u0026x=1"',
]


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl end", "eyJzdWIiOiJhbGljZSJ9"),
        ("cut off eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9", "eyJzdWIiOiJhbGljZSJ9"),
        ("Authorization: Bearer abcdef123", "abcdef123"),
        ('{"authorization": ["Basic d2ViOnNlY3JldA=="]}', "d2ViOnNlY3JldA"),
        ("Set-Cookie: session=abcdef; HttpOnly", "abcdef"),
        ("Http Proxy: http://me:hunter2@proxy.example:3128", "hunter2"),
        ("GET /auth/callback?state=s1s1s1&code=c0dec0de HTTP/1.1", "c0dec0de"),
        ("GET /logout?id_token_hint=abcabc&x=1", "abcabc"),
        *((text, "Hunter2") for text in NAMED),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, gone: str) -> None:
    masked = mask_shapes(text)
    assert gone not in masked
    assert MASK in masked


def test_private_keys_are_masked_whole_escaped_cut_off_and_in_base64() -> None:
    pem = key_pem()
    body = pem.splitlines()[1]
    inside = base64.b64encode(pem.encode()).decode()
    for text in (f"a\n{pem}b", json.dumps({"k": pem}), f"a\n{pem[:100]}", pem[40:], f"client-key-data: {inside}\n"):
        masked = mask_shapes(text)
        assert body[-20:] not in masked
        assert inside not in masked
        assert MASK in masked


@pytest.mark.parametrize("layers", [1, 2])
def test_what_is_a_secret_is_one_in_base64_and_in_base64_of_base64(layers: int) -> None:
    for secret in (key_pem(), "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"):
        text = secret
        for _layer in range(layers):
            text = base64.b64encode(text.encode()).decode()
        assert mask_shapes(f"data: {text}\n") == f"data: {MASK}\n"


@pytest.mark.parametrize("layers", [1, 2])
def test_certificates_are_no_secret_in_any_layer(layers: int) -> None:
    text = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----\n"
    for _layer in range(layers):
        text = base64.b64encode(text.encode()).decode()
    assert mask_shapes(text) == text


def test_names_stay_and_so_does_what_only_sounds_like_a_secret() -> None:
    assert mask_shapes('{"user": "alice", "password": "x y", "port": 5}') == f'{{"user": "alice", "password": "{MASK}", "port": 5}}'
    assert mask_shapes("host=a password=x dbname=b") == f"host=a password={MASK} dbname=b"
    assert mask_shapes("a=1&password=x&scope=openid") == f"a=1&password={MASK}&scope=openid"
    assert mask_shapes("postgresql://gpuaas:x@postgres/gpuaas?a=b") == f"postgresql://gpuaas:{MASK}@postgres/gpuaas?a=b"
    for text in (
        'secretName: api-secrets\nsecretKeyRef: {"name": "api-secrets", "key": "redis_password"}\n',
        "tokenExpirationSeconds: 3600, max_tokens=5, password authentication failed for user alice\n",
        '"API_REDIS_PASSWORD_FILE": "/run/secrets/redis_password", ssh://git@example.org/x\n',
        "Access-Control-Allow-Headers: authorization, content-type\n",
        "Authorization: failed\nno cookie was sent\n",
    ):
        assert mask_shapes(text) == text


def test_certificates_are_no_secret() -> None:
    text = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----\n").decode()
    assert mask_shapes(f"certificate-authority-data: {text}") == f"certificate-authority-data: {text}"


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    (tmp_path / "secrets" / "files" / "api").mkdir(parents=True)
    (tmp_path / "tls").mkdir()
    values = {
        "postgres_gpuaas_password": "pa55 word'with\"quotes",
        "web_session_key": "c2Vzc2lvbi1rZXktc2Vzc2lvbi1rZXktMTIzNDU2Nzg=",
    }
    for name, text in (("secrets.yml", yaml.safe_dump(values)), ("files/api/only_here", "derived-value-1\n")):
        (tmp_path / "secrets" / name).touch(mode=0o600)
        (tmp_path / "secrets" / name).write_text(text)
    return tmp_path


def test_every_value_below_secrets_is_known(state_dir: Path) -> None:
    knowledge = knowledge_of(state_dir, state_dir / "kubeconfig")
    text = knowledge.redact("pa55 word'with\"quotes; c2Vzc2lvbi1rZXktc2Vzc2lvbi1rZXktMTIzNDU2Nzg=; derived-value-1.")
    assert text.replace(MASK, "") == "; ; ."
    assert knowledge.unknown == ()


def test_lines_of_our_private_keys_are_known_by_themselves(state_dir: Path) -> None:
    pem = key_pem()
    (state_dir / "tls" / "ca.key").write_text(pem)
    line = pem.splitlines()[1]
    assert line not in knowledge_of(state_dir, state_dir / "kubeconfig").redact(f"parse error near {line}")


def test_a_line_of_a_private_key_is_known_when_it_is_long_enough_to_be_nothing_else(state_dir: Path) -> None:
    long, short = "A" * 16, "b" * 15
    (state_dir / "tls" / "ca.key").write_text(f"-----BEGIN PRIVATE KEY-----\n{long}\n{short}\n-----END PRIVATE KEY-----\n")
    assert knowledge_of(state_dir, state_dir / "kubeconfig").redact(f"{long} {short}") == f"{MASK} {short}"


def test_the_key_of_the_kubeconfig_is_known(state_dir: Path) -> None:
    key = base64.b64encode(b"not even a PEM, but the key of this cluster").decode()
    config = state_dir / "kubeconfig"
    config.write_text(f"users:\n- name: a\n  user:\n    client-certificate-data: {'Q' * 40}\n    client-key-data: {key}\n")
    redacted = knowledge_of(state_dir, config).redact(config.read_text())
    assert key not in redacted
    assert "client-key-data" in redacted
    assert "Q" * 40 in redacted


@pytest.mark.parametrize(
    "damage",
    [b"\tnot: [yaml\npassword: the-old-value-9\n", b"just the-old-value-9 text\n", b"a: the-old-value-9\xff\n"],
)
def test_the_values_of_a_corrupt_file_are_masked_all_the_same(state_dir: Path, damage: bytes) -> None:
    (state_dir / "secrets" / "secrets.yml").write_bytes(damage)
    knowledge = knowledge_of(state_dir, state_dir / "kubeconfig")
    assert "the-old-value-9" not in knowledge.redact("login with the-old-value-9 failed")
    assert knowledge.unknown == ()


def test_a_file_that_cannot_be_read_is_named(state_dir: Path) -> None:
    (state_dir / "secrets" / "secrets.yml").unlink()
    (state_dir / "secrets" / "secrets.yml").symlink_to("secrets.yml")
    unknown = knowledge_of(state_dir, state_dir / "kubeconfig").unknown
    assert len(unknown) == 1
    assert "secrets.yml" in unknown[0]


def test_no_secrets_yet_is_no_problem(tmp_path: Path) -> None:
    assert knowledge_of(tmp_path / "nowhere", tmp_path / "kubeconfig").unknown == ()


class TestTypedSecrets:
    """Keyrings, derived and wrapped values: what secrets.yml does not show is masked as well."""

    @pytest.fixture
    def entries(self) -> dict[str, Any]:
        wanted: dict[str, dict[str, str]] = {
            "root_key": {"type": "key"},
            "ring": {"type": "keyring"},
            "follows": {"type": "password", "derived_from": "root_key"},
            "hidden": {"type": "password", "wrapped_by": "ring"},
            "inner_ring": {"type": "keyring", "wrapped_by": "ring"},
        }
        values = {name: make(secret["type"]) for name, secret in wanted.items() if "derived_from" not in secret}
        return closed(with_derived(values, wanted), wanted, {})

    def write(self, state_dir: Path, text: str) -> None:
        (state_dir / "secrets" / "secrets.yml").write_text(text)

    def test_every_value_is_masked_and_no_word_besides(self, state_dir: Path, entries: dict[str, Any]) -> None:
        self.write(state_dir, yaml.safe_dump(entries))
        knowledge = knowledge_of(state_dir)
        assert knowledge.unknown == ()
        values = opened(entries).values
        rings = [json.loads(values[name])["keys"]["1"] for name in ("ring", "inner_ring")]
        for secret in (*values.values(), *rings):
            assert secret not in knowledge.redact(f"it is {secret} here")
        plain = "version 1 of ring, a keyring; root_key is of type password"
        assert knowledge.redact(plain) == plain

    def test_keys_of_a_ring_that_only_its_file_has_are_masked(self, state_dir: Path) -> None:
        ring = make("keyring")
        (state_dir / "secrets" / "files" / "api" / "only_here").write_text(ring)
        key = json.loads(ring)["keys"]["1"]
        assert key not in knowledge_of(state_dir).redact(f"with {key}")

    def test_what_cannot_be_learnt_is_named(self, state_dir: Path, entries: dict[str, Any]) -> None:
        self.write(state_dir, yaml.safe_dump({**entries, "root_key": "damaged", "ring": {"primary": 1}}))
        unknown = " ".join(knowledge_of(state_dir).unknown)
        assert all(name in unknown for name in ("follows", "hidden", "inner_ring"))

    def test_a_file_that_is_no_yaml_is_known_to_hide_more(self, state_dir: Path, entries: dict[str, Any]) -> None:
        self.write(state_dir, "\t" + yaml.safe_dump(entries))
        knowledge = knowledge_of(state_dir)
        assert entries["root_key"] not in knowledge.redact(entries["root_key"])
        assert knowledge.unknown
