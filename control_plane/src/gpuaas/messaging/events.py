"""An event on the wire: CloudEvents 1.0 in the binary mode of its NATS binding, so that the payload stays as it was written.

https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SOURCE = "/gpuaas/api"
VERSION = 1
MESSAGE_ID = "Nats-Msg-Id"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to an instance; ``type`` is such as ``instance.requested``."""

    id: uuid.UUID
    type: str
    instance_id: uuid.UUID
    time: datetime
    data: dict[str, Any]

    @property
    def subject(self) -> str:
        """``instances.<instance>.<what>``: all events of an instance, or all of a kind, are one filter."""
        return f"instances.{self.instance_id}.{self.type.removeprefix('instance.')}"

    @property
    def headers(self) -> dict[str, str]:
        """Attributes of the event, and the id by which JetStream knows it for two minutes."""
        return {
            MESSAGE_ID: str(self.id),
            "Content-Type": "application/json",
            "ce-specversion": "1.0",
            "ce-id": str(self.id),
            "ce-source": SOURCE,
            "ce-type": f"gpuaas.{self.type}.v{VERSION}",
            "ce-subject": str(self.instance_id),
            "ce-time": self.time.isoformat(),
        }

    @property
    def body(self) -> bytes:
        return json.dumps(self.data, separators=(",", ":"), sort_keys=True).encode()
