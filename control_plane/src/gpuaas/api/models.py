"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gpuaas.encryption.epoch import LONGEST_RECORD
from gpuaas.encryption.instance import NAME
from gpuaas.encryption.tenant import LONGEST_ENVELOPE


class GpuType(StrEnum):
    """What can be had."""

    H100 = "H100"
    A100 = "A100"
    L40S = "L40S"


class Workload(StrEnum):
    """What an instance can be asked to run besides."""

    NOTEBOOK = "notebook"
    INFERENCE = "inference"


class Private(BaseModel):
    """What of an instance is for the members of its project alone, such as its start script: sealed by one of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instance_id: Annotated[
        UUID, Field(description="The instance's id: drawn by who sealed it, and bound with its name")
    ]
    envelope: Annotated[
        str, Field(min_length=1, max_length=LONGEST_ENVELOPE, description="Of type instance.private, version 2")
    ]


class InstanceRequest(BaseModel):
    """Body of POST /v1/instances."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=NAME, description="DNS label: lower case, digits and dashes")]
    gpu_type: GpuType
    gpu_count: Annotated[int, Field(ge=1, le=8, strict=True)]
    project: Annotated[str | None, Field(min_length=1, max_length=255, description="Default: the only one")] = None
    workload: Annotated[Workload | None, Field(description="Deployed on its GPUs while it runs")] = None
    private: Annotated[Private | None, Field(description="Sealed: the platform keeps it and cannot read it")] = None


class Instance(BaseModel):
    """A GPU instance of a project."""

    id: UUID
    project: str
    name: str
    gpu_type: GpuType
    gpu_count: int
    wanted_gpu_count: Annotated[int | None, Field(description="How many it gets, while it is being resized")] = None
    state: Annotated[
        str,
        Field(description="requested, provisioning, running, stopping, stopped, starting, resizing, failed or deleted"),
    ]
    reason: Annotated[
        str | None, Field(description="Why it failed, or was not started or resized: one word, stable")
    ] = None
    workload: Workload | None = None
    workload_state: Annotated[
        str | None, Field(description="pending, deployed, healthy, unhealthy, removing or removed")
    ] = None
    created_by: str
    created_at: datetime


class InstanceDetail(Instance):
    """A GPU instance, with what was sealed for its project's members."""

    private: Private | None = None


class Epochs(BaseModel):
    """The records of a project's epochs, the first one first; members verify them against a pin of their own."""

    environment: str
    project: str
    records: list[str]


class EpochRequest(BaseModel):
    """Body of POST /v1/epochs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: Annotated[str | None, Field(min_length=1, max_length=255, description="Default: the only one")] = None
    record: Annotated[str, Field(min_length=1, max_length=LONGEST_RECORD, description="Signed by a member")]


class Epoch(BaseModel):
    """An epoch that began."""

    project: str
    number: int
    digest: Annotated[str, Field(description="SHA-256 of its record in base64url: what members compare and pin")]


class ResizeRequest(BaseModel):
    """Body of PATCH /v1/instances/{id}."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gpu_count: Annotated[int, Field(ge=1, le=8, strict=True)]


class Quota(BaseModel):
    """GPUs of a project; those of instances that are stopped, failed or deleted are not used."""

    project: str
    gpus_used: int
    gpus_allowed: int


class InstanceList(BaseModel):
    """One page, newest first; ``next`` is what to pass as ``after``."""

    project: str
    items: list[Instance]
    next: UUID | None


class TimelineEntry(BaseModel):
    """Something that happened to an instance; ``position`` is in the order in which the entries of all became visible."""

    position: int
    event_id: UUID
    instance_id: UUID
    project: str
    type: str
    time: datetime
    actor: str
    sentence: str
    details: dict[str, Any]


class Timeline(BaseModel):
    """One page, oldest first; ``next`` is what to pass as ``after``."""

    items: list[TimelineEntry]
    next: int | None


class Me(BaseModel):
    """The caller, as the token says."""

    subject: str
    username: str
    roles: list[str]
    projects: list[str]


class SettingDigest(BaseModel):
    """A setting without its value: HMAC-SHA-256 keyed with the salt."""

    type: str
    hmac_sha256: str


class SecretDigest(BaseModel):
    """A secret without its value: HMAC-SHA-256 keyed with it, over its name and the salt."""

    hmac_sha256: str


class RootKey(BaseModel):
    """Where the root key is, the version that wraps, and all that unwrap; none of them where a KMS alone knows."""

    scheme: str
    primary: str
    versions: list[str]


class Security(BaseModel):
    """Which security mode the process really runs in, and what it was given of keys."""

    mode: str
    member_keys: str
    root_key: RootKey


class SecretsFrom(BaseModel):
    """Who gave the process its secrets: files, or a server, which it logged in to by ``method``."""

    provider: Literal["files", "infisical"]
    read: list[str]
    server: str
    folder: str
    method: Literal["", "oidc", "universal"]


class Configuration(BaseModel):
    """What the process was configured with, comparable and free of values."""

    service: str
    version: str
    salt: str
    settings: dict[str, SettingDigest]
    secrets: dict[str, SecretDigest]
    secrets_from: SecretsFrom
    security: Security
    unread: list[str]


class ProblemDocument(BaseModel):
    """RFC 9457 with a stable ``code``."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[dict[str, Any]] = []
    quota: Annotated[Quota | None, Field(description="With quota_exceeded")] = None
