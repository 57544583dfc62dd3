"""A root key of every scheme, and another one beside it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpuaas.encryption.providers import KeyProvider, parse, provider_of
from support import kms as kms_server
from support.kms import Failing, Kms
from support.roots import ENVIRONMENT, Roots, created

_names = itertools.count()


@pytest.fixture(scope="session")
def kms() -> Iterator[Kms]:
    with kms_server.running() as running:
        yield running


@pytest.fixture
def failing_kms() -> Iterator[Failing]:
    with kms_server.failing() as failing:
        yield failing


@pytest.fixture(autouse=True)
def _identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What boto3 finds is the tests' own."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(kms_server.credentials(tmp_path)))


@pytest.fixture
def keyring(tmp_path: Path) -> Path:
    """The file of a new keyring."""
    return created(tmp_path / "root.json")


@pytest.fixture
def alias(kms: Kms) -> str:
    """One with a new key."""
    name = f"alias/gpuaas/{next(_names)}"
    kms.key(name)
    return name


@pytest.fixture(params=["file", "awskms"])
def roots(request: pytest.FixtureRequest, tmp_path: Path) -> Roots:
    if request.param == "file":
        urls = [f"file://{created(tmp_path / name)}" for name in ("root.json", "another.json")]
    else:
        server: Kms = request.getfixturevalue("kms")
        aliases = [f"alias/gpuaas/{next(_names)}" for _one in range(2)]
        for name in aliases:
            server.key(name)
        urls = [server.setting(name) for name in aliases]

    def provider() -> KeyProvider:
        return provider_of(parse(urls[0]), ENVIRONMENT)

    return Roots(provider(), provider, provider_of(parse(urls[1]), ENVIRONMENT))
