"""Settings from the environment and secrets from their source, read once and frozen.

The names are those of the platform contract. Nothing has a default: what the
contract does not say is an error, so that no mode differs by accident. A
message names the setting, never its value.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, get_type_hints

from gpuaas.admission import Network
from gpuaas.encryption.providers import Url
from gpuaas.encryption.security import MemberKeys, SecurityMode
from gpuaas.journal.store import JournalStore
from gpuaas.kinds import (
    HOSTNAME,
    INTEGER,
    JOURNAL_STORE,
    KEY_PROVIDER,
    LOG_LEVEL,
    MEMBER_KEYS,
    NETWORKS,
    PATH,
    PORT,
    POSITIVE,
    SECRETS_SOURCE,
    SECURITY_MODE,
    STRING,
    URL,
    Kind,
)
from gpuaas.secrets import SecretError, SecretsProvider, Source, SourceAwayError, SourceUnavailableError

PREFIX = "GPUAAS_"


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class ConfigurationError(Exception):
    """Settings or secrets that the process cannot start with; one line."""


class NotYetError(ConfigurationError):
    """Secrets that there may be a moment later; ``refused`` where their server answers, but not to us."""

    def __init__(self, why: str, refused: bool) -> None:
        super().__init__(why)
        self.refused = refused


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateSettings:
    """What ``gpuaas migrate`` reads."""

    log_level: Annotated[str, LOG_LEVEL]
    secrets_source: Annotated[Source, SECRETS_SOURCE]
    ca_file: Annotated[Path, PATH]
    database_host: Annotated[str, HOSTNAME]
    database_port: Annotated[int, PORT]
    database_name: Annotated[str, STRING]
    database_user: Annotated[str, STRING]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings(MigrateSettings):
    """What ``gpuaas api`` reads."""

    security_mode: Annotated[SecurityMode, SECURITY_MODE]
    key_provider: Annotated[Url, KEY_PROVIDER]
    member_keys: Annotated[MemberKeys, MEMBER_KEYS]
    listen_port: Annotated[int, PORT]
    probe_port: Annotated[int, PORT]
    database_pool_size: Annotated[int, POSITIVE]
    redis_host: Annotated[str, HOSTNAME]
    redis_port: Annotated[int, PORT]
    redis_user: Annotated[str, STRING]
    oidc_issuer: Annotated[str, URL]
    oidc_audience: Annotated[str, STRING]
    oidc_leeway_seconds: Annotated[int, INTEGER]
    rate_limit_per_minute: Annotated[int, POSITIVE]
    source_limit_per_minute: Annotated[int, POSITIVE]
    trusted_proxies: Annotated[tuple[Network, ...], NETWORKS]
    cache_seconds: Annotated[int, POSITIVE]
    project_gpu_quota: Annotated[int, POSITIVE]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings(MigrateSettings):
    """What every worker reads. The certificate is a directory with tls.crt, tls.key and ca.crt."""

    probe_port: Annotated[int, PORT]
    nats_host: Annotated[str, HOSTNAME]
    nats_port: Annotated[int, PORT]
    nats_certificate: Annotated[Path, PATH]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSettings(WorkerSettings):
    """What a worker reads that asks the fleet: ``gpuaas app-runtime``, and others that read more."""

    fleet_host: Annotated[str, HOSTNAME]
    fleet_port: Annotated[int, PORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningSettings(FleetSettings):
    """What ``gpuaas provisioning`` reads."""

    temporal_host: Annotated[str, HOSTNAME]
    temporal_port: Annotated[int, PORT]
    temporal_certificate: Annotated[Path, PATH]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings(MigrateSettings):
    """What ``gpuaas journal`` reads. The certificate is a directory with tls.crt and tls.key, for a server that asks for one."""

    probe_port: Annotated[int, PORT]
    security_mode: Annotated[SecurityMode, SECURITY_MODE]
    journal_store: Annotated[JournalStore, JOURNAL_STORE]
    journal_certificate: Annotated[Path, PATH]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """What ``gpuaas web`` reads."""

    security_mode: Annotated[SecurityMode, SECURITY_MODE]
    log_level: Annotated[str, LOG_LEVEL]
    secrets_source: Annotated[Source, SECRETS_SOURCE]
    listen_port: Annotated[int, PORT]
    probe_port: Annotated[int, PORT]
    ca_file: Annotated[Path, PATH]
    redis_host: Annotated[str, HOSTNAME]
    redis_port: Annotated[int, PORT]
    redis_user: Annotated[str, STRING]
    oidc_issuer: Annotated[str, URL]
    oidc_client_id: Annotated[str, STRING]
    web_url: Annotated[str, URL]
    api_url: Annotated[str, URL]
    session_seconds: Annotated[int, POSITIVE]
    source_limit_per_minute: Annotated[int, POSITIVE]
    trusted_proxies: Annotated[tuple[Network, ...], NETWORKS]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateSecrets:
    """Secrets of ``gpuaas migrate``."""

    database_password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSecrets(MigrateSecrets):
    """Secrets of ``gpuaas api``."""

    redis_password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSecrets(MigrateSecrets):
    """Secrets of every worker; to NATS it shows its certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSecrets(WorkerSecrets):
    """Secrets of a worker that asks the fleet."""

    fleet_token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningSecrets(FleetSecrets):
    """Secrets of ``gpuaas provisioning``; the keyring seals what it hands to Temporal."""

    payload_keyring: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSecrets(MigrateSecrets):
    """Secrets of ``gpuaas journal``, where its store is a server: the access key of an identity of AWS."""

    journal_access_key_id: str = field(repr=False)
    journal_secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSecrets:
    """Secrets of ``gpuaas web``; the session key is 32 bytes, base64."""

    redis_password: str = field(repr=False)
    oidc_client_secret: str = field(repr=False)
    session_key: str = field(repr=False)

    @property
    def session_key_bytes(self) -> bytes:
        return base64.b64decode(self.session_key)


def read_settings[T: _Dataclass](cls: type[T], environ: Mapping[str, str]) -> T:
    """Read every setting of ``cls``; all faults at once, in one line.

    Raises ConfigurationError; RefusedError ``security_mode_unknown``.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name, attribute, kind in fields(cls):
        raw = environ.get(name, "")
        if not raw:
            faults.append(f"{name} is missing")
            continue
        try:
            values[attribute] = kind.parse(raw)
        except ValueError:
            faults.append(f"{name} is not {kind.means}")
    if faults:
        raise ConfigurationError("; ".join(faults))
    return cls(**values)


def read_secrets[T: _Dataclass](cls: type[T], provider: SecretsProvider) -> T:
    """Ask ``provider`` for every secret of ``cls``; all faults at once, in one line.

    Raises ConfigurationError; NotYetError where to ask again may help.
    """
    values: dict[str, str] = {}
    faults: list[str] = []
    for item in dataclasses.fields(cls):
        try:
            values[item.name] = _checked(item.name, provider.get(item.name))
        except SourceAwayError as fault:
            raise NotYetError(str(fault), fault.refused) from None
        except SourceUnavailableError as fault:
            raise ConfigurationError(str(fault)) from None
        except SecretError as fault:
            faults.append(str(fault))
    if faults:
        raise ConfigurationError("; ".join(faults))
    return cls(**values)


def _checked(name: str, value: str) -> str:
    if name == "session_key" and not _is_key256(value):
        raise SecretError(name, "is not 32 bytes in base64")
    if name == "payload_keyring" and not _is_keyring(value):
        raise SecretError(name, "is not a keyring")
    return value


def _is_key256(value: str) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def _is_keyring(value: str) -> bool:
    # Who has no keys carries no cryptography.
    from gpuaas.encryption.providers.keyring import Keyring
    from gpuaas.encryption.refusal import RefusedError

    try:
        Keyring.parse(value.encode(), "it")
    except RefusedError:
        return False
    return True


def tls_context(ca_file: Path) -> ssl.SSLContext:
    """A client context that trusts exactly ``ca_file``.

    Raises ConfigurationError.
    """
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError):
        raise ConfigurationError("GPUAAS_CA_FILE is not a readable bundle of PEM certificates") from None


def fields(cls: type[_Dataclass]) -> list[tuple[str, str, Kind]]:
    """Name in the environment, attribute and kind of every setting of ``cls``."""
    hints = get_type_hints(cls, include_extras=True)
    return [(PREFIX + name.upper(), name, hint.__metadata__[0]) for name, hint in hints.items()]
