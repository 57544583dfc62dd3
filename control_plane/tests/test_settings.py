"""Faults of configuration: named, never quoted, all at once."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from gpuaas.settings import (
    ApiSettings,
    ConfigurationError,
    MigrateSecrets,
    WebSecrets,
    WebSettings,
    describe,
    read_secrets,
    read_settings,
    tls_context,
    unread,
)

API = {
    "GPUAAS_LOG_LEVEL": "info",
    "GPUAAS_SECRETS_DIR": "/run/secrets/gpuaas",
    "GPUAAS_CA_FILE": "/etc/gpuaas/ca/ca.crt",
    "GPUAAS_REDIS_HOST": "redis.gpuaas-data.svc.cluster.local",
    "GPUAAS_REDIS_PORT": "6379",
    "GPUAAS_OIDC_ISSUER": "https://auth.gpuaas.localhost:8443/realms/gpuaas",
    "GPUAAS_LISTEN_PORT": "8000",
    "GPUAAS_DATABASE_HOST": "postgres",
    "GPUAAS_DATABASE_PORT": "5432",
    "GPUAAS_DATABASE_NAME": "gpuaas",
    "GPUAAS_DATABASE_USER": "gpuaas",
    "GPUAAS_DATABASE_POOL_SIZE": "5",
    "GPUAAS_OIDC_AUDIENCE": "gpuaas-api",
    "GPUAAS_OIDC_LEEWAY_SECONDS": "1",
    "GPUAAS_RATE_LIMIT_PER_MINUTE": "600",
    "GPUAAS_CACHE_SECONDS": "5",
}


def test_all_settings_are_read() -> None:
    settings = read_settings(ApiSettings, API)
    assert settings.database_port == 5432
    assert settings.secrets_dir == Path("/run/secrets/gpuaas")
    assert settings.oidc_issuer == API["GPUAAS_OIDC_ISSUER"]


@pytest.mark.parametrize("name", sorted(API))
@pytest.mark.parametrize("absent", [True, False])
def test_missing(name: str, absent: bool) -> None:
    environ = {key: value for key, value in API.items() if key != name} if absent else {**API, name: ""}
    with pytest.raises(ConfigurationError, match=rf"^{name} is missing$"):
        read_settings(ApiSettings, environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GPUAAS_LOG_LEVEL", "chatty"),
        ("GPUAAS_SECRETS_DIR", "relative/path"),
        ("GPUAAS_REDIS_HOST", "redis:6379"),
        ("GPUAAS_REDIS_HOST", "two words"),
        ("GPUAAS_REDIS_PORT", "0"),
        ("GPUAAS_REDIS_PORT", "65536"),
        ("GPUAAS_REDIS_PORT", "tcp://10.0.0.1:6379"),
        ("GPUAAS_OIDC_ISSUER", "auth.gpuaas.localhost"),
        ("GPUAAS_OIDC_ISSUER", "https://auth.gpuaas.localhost/"),
        ("GPUAAS_OIDC_ISSUER", "https://user:hunter2@auth.gpuaas.localhost"),
        ("GPUAAS_OIDC_ISSUER", "https://auth.gpuaas.localhost?x=1"),
        ("GPUAAS_OIDC_ISSUER", "https://auth:port"),
        ("GPUAAS_CACHE_SECONDS", "0"),
        ("GPUAAS_CACHE_SECONDS", "-1"),
        ("GPUAAS_CACHE_SECONDS", "5.0"),
        ("GPUAAS_CACHE_SECONDS", "\N{ARABIC-INDIC DIGIT FIVE}"),
        ("GPUAAS_DATABASE_NAME", " "),
        ("GPUAAS_DATABASE_NAME", "a\nb"),
    ],
)
def test_malformed(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name} is not ") as error:
        read_settings(ApiSettings, {**API, name: value})
    assert value.strip() == "" or value not in str(error.value) or value in ("0",)
    assert "\n" not in str(error.value)


def test_all_faults_at_once() -> None:
    with pytest.raises(ConfigurationError) as error:
        read_settings(ApiSettings, {**API, "GPUAAS_REDIS_PORT": "x", "GPUAAS_DATABASE_NAME": ""})
    assert "GPUAAS_REDIS_PORT is not a port" in str(error.value)
    assert "GPUAAS_DATABASE_NAME is missing" in str(error.value)


def test_description_has_digests_only() -> None:
    described = describe(ApiSettings, API)
    assert sorted(described) == sorted(API)
    assert described["GPUAAS_REDIS_PORT"] == {"type": "port", "sha256": hashlib.sha256(b"6379").hexdigest()}


def test_names_that_nobody_reads() -> None:
    assert unread(ApiSettings, {**API, "GPUAAS_REDISPORT": "1", "HOME": "/"}) == ["GPUAAS_REDISPORT"]
    assert "GPUAAS_CACHE_SECONDS" in unread(WebSettings, API)


KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for name, value in {"redis_password": "r", "oidc_client_secret": "o", "session_key": KEY}.items():
        (tmp_path / name).write_text(value + "\n")
    return tmp_path


def test_secrets_are_read_without_their_newline(secrets: Path) -> None:
    read = read_secrets(WebSecrets, secrets)
    assert (read.redis_password, read.session_key_bytes) == ("r", b"k" * 32)
    assert "k" * 32 not in repr(read)
    assert KEY not in repr(read)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "secret session_key is missing from GPUAAS_SECRETS_DIR"),
        (b"", "secret session_key is empty"),
        (b"\n", "secret session_key is empty"),
        (b"a\nb", "secret session_key is not a single line"),
        (b"\xff\xfe", "secret session_key is not text"),
        (b"hunter2", "secret session_key is not 32 bytes in base64"),
        (base64.b64encode(b"short"), "secret session_key is not 32 bytes in base64"),
    ],
)
def test_faulty_secret(secrets: Path, content: bytes | None, says: str) -> None:
    if content is None:
        (secrets / "session_key").unlink()
    else:
        (secrets / "session_key").write_bytes(content)
    with pytest.raises(ConfigurationError) as error:
        read_secrets(WebSecrets, secrets)
    assert str(error.value) == says


def test_secret_that_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "database_password").mkdir()
    with pytest.raises(ConfigurationError, match=r"^secret database_password is unreadable \(Is a directory\)$"):
        read_secrets(MigrateSecrets, tmp_path)


@pytest.mark.parametrize("content", [None, "", "not PEM"])
def test_ca_file(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "ca.crt").write_text(content)
    with pytest.raises(ConfigurationError, match=r"^GPUAAS_CA_FILE "):
        tls_context(tmp_path / "ca.crt")
