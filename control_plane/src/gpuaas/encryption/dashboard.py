"""What a dashboard is sent of a sealed record: ``plain`` or ``sealed``, tagged, never both."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from gpuaas.encryption.decryption import Envelope, Plain, Sealed
from gpuaas.encryption.refusal import Reason
from gpuaas.encryption.security import SecurityMode


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: str
    type: str


class PlainEnvelope(_Strict):
    """The server opened it. There is none in PROD: the type has no value for that mode."""

    kind: Literal["plain"] = "plain"
    security_mode: Literal[SecurityMode.LOCAL, SecurityMode.STAGING]
    content: str = Field(repr=False)


class SealedEnvelope(_Strict):
    """The browser opens it, if it can; ``reason`` is why the server did not."""

    kind: Literal["sealed"] = "sealed"
    security_mode: SecurityMode
    reason: Reason
    envelope: str


DashboardEnvelope = Annotated[PlainEnvelope | SealedEnvelope, Field(discriminator="kind")]
ADAPTER: TypeAdapter[DashboardEnvelope] = TypeAdapter(DashboardEnvelope)


def shown(envelope: Envelope, opened: Plain | Sealed, mode: SecurityMode) -> DashboardEnvelope:
    """What is sent of ``envelope``, that the server ``opened`` or not, in ``mode``."""
    binding = envelope.expected.binding
    if isinstance(opened, Plain):
        return PlainEnvelope.model_validate(
            {
                "event_id": binding.event_id,
                "type": binding.type,
                "security_mode": opened.mode,
                "content": opened.content.decode("utf-8", "replace"),
            }
        )
    return SealedEnvelope(
        event_id=binding.event_id, type=binding.type, security_mode=mode, reason=opened.reason, envelope=envelope.text
    )
