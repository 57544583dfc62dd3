"""What is private of an instance, asked for by the instance's id and name; and what a server that lies sends in its place."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

from gpuaas.encryption import instance
from gpuaas.encryption.refusal import Reason, RefusedError
from support import interchange
from support.envelopes import ENVIRONMENT, PLAINTEXT, PROJECT, World, other

ONE, ANOTHER = (uuid.UUID(f"5d1c3f0e-8a5e-4c53-9a53-1a4f2f3f6f0{digit}") for digit in (3, 4))
NAME, OTHER_NAME = "training-1", "training-2"


@dataclass(frozen=True)
class Asked:
    """What a reader asks for, what they are sent, and what comes of it."""

    envelope: str
    reason: Reason | None
    instance_id: uuid.UUID = ONE
    name: str = NAME

    def outcome(self, world: World) -> Reason | bytes:
        """As the reader has it."""
        try:
            binding = instance.binding(ENVIRONMENT, PROJECT, self.instance_id, self.name)
            return replace(world.served, envelope=self.envelope, binding=binding).opened()
        except RefusedError as refused:
            return refused.reason

    def as_wanted(self, world: World) -> bool:
        return self.outcome(world) == (self.reason or PLAINTEXT)

    def to_json(self, world: World) -> dict[str, Any]:
        """As a vector."""
        wanted = {"reason": self.reason} if self.reason else {"plaintext": PLAINTEXT.hex()}
        asked = {"id": str(self.instance_id), "name": self.name}
        return {**interchange.to_json(replace(world.served, envelope=self.envelope)), "instance": asked, **wanted}


def cases(world: World) -> dict[str, Asked]:
    """All of them, sealed now."""

    def sealed(instance_id: uuid.UUID, name: str, **changes: Any) -> str:
        return world.seal(replace(instance.binding(ENVIRONMENT, PROJECT, instance_id, name), **changes))

    mine = sealed(ONE, NAME)
    event_id, downgraded = Reason.ENVELOPE_EVENT_ID, Reason.ENVELOPE_SCHEMA_VERSION
    return {
        "its own": Asked(mine, None),
        "another one's": Asked(sealed(ANOTHER, OTHER_NAME), None, ANOTHER, OTHER_NAME),
        "another instance's in its place": Asked(sealed(ANOTHER, OTHER_NAME), event_id),
        "another one of the same name": Asked(sealed(ANOTHER, NAME), event_id),
        "the same one under another name": Asked(mine, event_id, name=OTHER_NAME),
        "one that is of no instance": Asked(sealed(ONE, NAME, event_id=other("event_id").event_id), event_id),
        "one of the version that was bound to no instance": Asked(sealed(ONE, NAME, schema_version=1), downgraded),
        "a name that no instance has": Asked(mine, Reason.BINDING_INVALID, name="Training 1"),
    }
