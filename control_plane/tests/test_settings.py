"""Faults of configuration: named, never quoted, all at once."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from gpuaas.encryption.providers.keyring import key_id
from gpuaas.provisioning.temporal import codec_of
from gpuaas.secrets import Source, SourceUnavailableError
from gpuaas.secrets.local import LocalSecretsProvider
from gpuaas.settings import (
    ApiSettings,
    ConfigurationError,
    MigrateSecrets,
    ProvisioningSecrets,
    WebSecrets,
    read_secrets,
    read_settings,
    tls_context,
)

API = {
    "GPUAAS_SECURITY_MODE": "LOCAL",
    "GPUAAS_KEY_PROVIDER": "file:///run/secrets/gpuaas/root_keyring",
    "GPUAAS_MEMBER_KEYS": "escrow",
    "GPUAAS_LOG_LEVEL": "info",
    "GPUAAS_SECRETS_SOURCE": "file:///run/secrets/gpuaas",
    "GPUAAS_CA_FILE": "/etc/gpuaas/ca/ca.crt",
    "GPUAAS_REDIS_HOST": "redis.gpuaas-data.svc.cluster.local",
    "GPUAAS_REDIS_PORT": "6379",
    "GPUAAS_REDIS_USER": "api",
    "GPUAAS_OIDC_ISSUER": "https://auth.gpuaas.localhost:8443/realms/gpuaas",
    "GPUAAS_LISTEN_PORT": "8000",
    "GPUAAS_PROBE_PORT": "9000",
    "GPUAAS_DATABASE_HOST": "postgres",
    "GPUAAS_DATABASE_PORT": "5432",
    "GPUAAS_DATABASE_NAME": "gpuaas",
    "GPUAAS_DATABASE_USER": "gpuaas",
    "GPUAAS_DATABASE_POOL_SIZE": "5",
    "GPUAAS_OIDC_AUDIENCE": "gpuaas-api",
    "GPUAAS_OIDC_LEEWAY_SECONDS": "1",
    "GPUAAS_RATE_LIMIT_PER_MINUTE": "600",
    "GPUAAS_SOURCE_LIMIT_PER_MINUTE": "600",
    "GPUAAS_TRUSTED_PROXIES": "10.0.0.0/8,fd00::/8",
    "GPUAAS_CACHE_SECONDS": "5",
    "GPUAAS_PROJECT_GPU_QUOTA": "32",
}


def test_all_settings_are_read() -> None:
    settings = read_settings(ApiSettings, API)
    assert settings.database_port == 5432
    assert settings.secrets_source == Source("file:///run/secrets/gpuaas")
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
        ("GPUAAS_SECRETS_SOURCE", "/run/secrets/gpuaas"),
        ("GPUAAS_SECRETS_SOURCE", "vault://vault.internal/hunter2"),
        ("GPUAAS_KEY_PROVIDER", "file://hunter2"),
        ("GPUAAS_KEY_PROVIDER", "awskms:alias/hunter2"),
        ("GPUAAS_MEMBER_KEYS", "server"),
        ("GPUAAS_CA_FILE", "relative/path"),
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
        ("GPUAAS_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("GPUAAS_TRUSTED_PROXIES", "traefik"),
        ("GPUAAS_TRUSTED_PROXIES", "10.0.0.0/8,"),
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


def test_an_unknown_source_of_secrets_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigurationError) as error:
        read_settings(ApiSettings, {**API, "GPUAAS_SECRETS_SOURCE": "openbao+https://bao.internal/hunter2"})
    assert str(error.value) == (
        "GPUAAS_SECRETS_SOURCE is not a source of secrets that is known: "
        "file:///<directory or file>, infisical+https://<host>/<project>/<environment>/<path>"
    )


KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for name, value in {"redis_password": "r", "oidc_client_secret": "o", "session_key": KEY}.items():
        (tmp_path / name).write_text(value + "\n")
    return tmp_path


def test_secrets_are_read_without_their_newline(secrets: Path) -> None:
    read = read_secrets(WebSecrets, LocalSecretsProvider(secrets))
    assert (read.redis_password, read.session_key_bytes) == ("r", b"k" * 32)
    assert "k" * 32 not in repr(read)
    assert KEY not in repr(read)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "secret session_key is missing from GPUAAS_SECRETS_SOURCE"),
        (b"", "secret session_key is empty"),
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
        read_secrets(WebSecrets, LocalSecretsProvider(secrets))
    assert str(error.value) == says


def _with_keyring(directory: Path, ring: str) -> ProvisioningSecrets:
    for name, value in {"database_password": "d", "fleet_token": "f", "payload_keyring": ring}.items():
        (directory / name).write_text(value)
    return read_secrets(ProvisioningSecrets, LocalSecretsProvider(directory))


def test_a_keyring_is_read_and_not_shown(tmp_path: Path) -> None:
    read = _with_keyring(tmp_path, f'{{"primary": 1, "keys": {{"1": "{KEY}"}}}}')
    assert codec_of(read).keys.keys.keys() == {key_id(b"k" * 32)}
    assert KEY not in repr(read)


@pytest.mark.parametrize(
    ("ring", "says"),
    [
        (f'{{"primary": 2, "keys": {{"1": "{KEY}"}}}}', "secret payload_keyring is not a keyring"),
        ('{"primary": 1, "keys": {"1": "c2hvcnQ="}}', "secret payload_keyring is not a keyring"),
        (KEY, "secret payload_keyring is not a keyring"),
        ("", "secret payload_keyring is empty"),
    ],
)
def test_a_faulty_keyring(tmp_path: Path, ring: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        _with_keyring(tmp_path, ring)
    assert str(error.value) == says


def test_all_faulty_secrets_at_once(secrets: Path) -> None:
    (secrets / "redis_password").unlink()
    (secrets / "session_key").write_text("hunter2")
    with pytest.raises(ConfigurationError) as error:
        read_secrets(WebSecrets, LocalSecretsProvider(secrets))
    assert str(error.value) == (
        "secret redis_password is missing from GPUAAS_SECRETS_SOURCE; secret session_key is not 32 bytes in base64"
    )


def test_a_source_that_is_away_is_asked_once() -> None:
    class Away:
        asked = 0

        def get(self, name: str) -> str:
            self.asked += 1
            raise SourceUnavailableError(name, "does not answer (ConnectTimeout)")

    away = Away()
    with pytest.raises(ConfigurationError) as error:
        read_secrets(WebSecrets, away)
    assert away.asked == 1
    assert str(error.value) == (
        "secret redis_password cannot be read: GPUAAS_SECRETS_SOURCE does not answer (ConnectTimeout)"
    )


def test_secret_that_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "database_password").mkdir()
    with pytest.raises(ConfigurationError, match=r"^secret database_password is unreadable \(Is a directory\)$"):
        read_secrets(MigrateSecrets, LocalSecretsProvider(tmp_path))


@pytest.mark.parametrize("content", [None, "", "not PEM"])
def test_ca_file(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "ca.crt").write_text(content)
    with pytest.raises(ConfigurationError, match=r"^GPUAAS_CA_FILE "):
        tls_context(tmp_path / "ca.crt")
