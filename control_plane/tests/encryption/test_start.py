"""What a process tells of its keys when it starts, and that it does not start with keys that its security mode refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gpuaas
from gpuaas.configuration import describe, secret_digest
from gpuaas.encryption.refusal import Reason, RefusedError
from gpuaas.encryption.start import of_api
from gpuaas.secrets import Used
from gpuaas.settings import ApiSecrets, ApiSettings, read_settings
from support.roots import created

SECRETS = ApiSecrets(database_password="d", redis_password="r")
SETTINGS = {
    "GPUAAS_SECURITY_MODE": "LOCAL",
    "GPUAAS_KEY_PROVIDER": "none",
    "GPUAAS_MEMBER_KEYS": "escrow",
    "GPUAAS_LOG_LEVEL": "info",
    "GPUAAS_SECRETS_SOURCE": "file:///nowhere",
    "GPUAAS_CA_FILE": "/etc/gpuaas/ca/ca.crt",
    "GPUAAS_REDIS_HOST": "redis",
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
    "GPUAAS_TRUSTED_PROXIES": "10.0.0.0/8",
    "GPUAAS_CACHE_SECONDS": "5",
    "GPUAAS_PROJECT_GPU_QUOTA": "32",
    "GPUAAS_OIDC_CLIENT_ID": "gpuaas-web",
    "GPUAAS_WEB_URL": "https://web.gpuaas.localhost:8443",
    "GPUAAS_API_URL": "http://api:8000",
    "GPUAAS_SESSION_SECONDS": "600",
}
KMS = "awskms:alias/gpuaas?region=eu-central-1"


def _started(command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(gpuaas.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, "-m", "gpuaas", command],
        env={**environment, **SETTINGS, **changes},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("command", "changes", "reason"),
    [
        ("api", {"GPUAAS_SECURITY_MODE": "prod"}, Reason.SECURITY_MODE_UNKNOWN),
        ("web", {"GPUAAS_SECURITY_MODE": "DEV"}, Reason.SECURITY_MODE_UNKNOWN),
        ("api", {"GPUAAS_SECURITY_MODE": "PROD", "GPUAAS_KEY_PROVIDER": "file:///root"}, Reason.SECURITY_FILE_KEYS),
        ("api", {"GPUAAS_SECURITY_MODE": "PROD"}, Reason.SECURITY_ESCROW),
        (
            "api",
            {"GPUAAS_SECURITY_MODE": "PROD", "GPUAAS_KEY_PROVIDER": KMS, "GPUAAS_MEMBER_KEYS": "escrow"},
            Reason.SECURITY_ESCROW,
        ),
        ("api", {"GPUAAS_OIDC_ISSUER": "https://auth.gpuaas.example/realms/gpuaas"}, Reason.SECURITY_PUBLIC_DOMAIN),
        ("web", {"GPUAAS_WEB_URL": "https://web.gpuaas.example"}, Reason.SECURITY_PUBLIC_DOMAIN),
        ("web", {"GPUAAS_OIDC_ISSUER": "https://auth.gpuaas.example/realms/gpuaas"}, Reason.SECURITY_PUBLIC_DOMAIN),
        ("seed", {"GPUAAS_SECURITY_MODE": "PROD"}, Reason.SECURITY_ESCROW),
        ("api", {"GPUAAS_KEY_PROVIDER": "file:///nowhere/root"}, Reason.ROOT_FILE_MISSING),
    ],
)
def test_refused_at_start(command: str, changes: dict[str, str], reason: Reason) -> None:
    """With exit status 78, which says that a restart does not help, and before anything is connected to."""
    done = _started(command, **changes)
    assert done.returncode == 78
    assert done.stderr.startswith(f"gpuaas {command}: refused: {reason}: ")
    assert "\n  -> " in done.stderr


def test_without_the_word_nothing_starts() -> None:
    done = _started("api", GPUAAS_SECURITY_MODE="")
    assert done.returncode == 78
    assert "GPUAAS_SECURITY_MODE is missing" in done.stderr


def test_a_root_key_in_a_file_is_looked_at_and_told(tmp_path: Path) -> None:
    path = created(tmp_path / "root_keyring")
    environ = {**SETTINGS, "GPUAAS_KEY_PROVIDER": path.as_uri()}
    settings = read_settings(ApiSettings, environ)
    keys = of_api(settings)
    told = describe("api", settings, SECRETS, environ, keys, Used("files", ()))
    assert told["security"] == {
        "mode": "LOCAL",
        "member_keys": "escrow",
        "root_key": {"scheme": "file", "primary": "1", "versions": ["1"]},
    }
    text = path.read_text().removesuffix("\n")
    assert told["secrets"]["root_keyring"]["hmac_sha256"] == secret_digest("root_keyring", text, told["salt"])
    for secret in (text, text[-60:-20]):
        assert secret not in str(told)
        assert secret not in repr(keys)
    path.chmod(0o604)
    with pytest.raises(RefusedError) as caught:
        of_api(settings)
    assert caught.value.reason is Reason.ROOT_FILE_OPEN_TO_OTHERS


def test_a_kms_may_be_away_when_a_process_starts() -> None:
    changes = {"GPUAAS_SECURITY_MODE": "PROD", "GPUAAS_KEY_PROVIDER": KMS, "GPUAAS_MEMBER_KEYS": "devices"}
    environ = {**SETTINGS, **changes}
    keys = of_api(read_settings(ApiSettings, environ))
    assert keys.told()["root_key"] == {"scheme": "awskms", "primary": "", "versions": []}


def test_who_has_no_keys_carries_no_cryptography() -> None:
    """Settings are read by every worker."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, gpuaas.settings; print(sorted({'cryptography', 'boto3'} & set(sys.modules)))",
        ],
        env={"PYTHONPATH": str(Path(gpuaas.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
