"""What is private of an instance, bound to that one: no server shows it as another's, or under another's name.

Its author seals before the API has said anything, so the author chooses the instance's id. The envelope's event id is a UUID
of version 8 over SHA-256 (RFC 9562, section 5.8 and appendix B.2) of that id and of the instance's name. Whoever opens it
computes the event id of the instance that they ask for, and takes nobody's word for it.
"""

from __future__ import annotations

import hashlib
import re
import uuid

from gpuaas.encryption.binding import Binding, DataClass
from gpuaas.encryption.refusal import Reason, RefusedError

TYPE, VERSION = "instance.private", 2
NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_SPACE = uuid.UUID("0d0c3cf9-6f0b-4a53-8d5e-6c2f1b7a9e44")
_VERSION_BITS, _VARIANT_BITS = 0x80, 0x80


def binding(environment: str, project: str, instance_id: uuid.UUID, name: str) -> Binding:
    """What the envelope of an instance must be bound to. Raises RefusedError."""
    return Binding(environment, DataClass.TENANT, project, event_id(instance_id, name), TYPE, VERSION)


def event_id(instance_id: uuid.UUID, name: str) -> str:
    """That of an instance of this id and name. Raises RefusedError."""
    if not re.fullmatch(NAME, name):
        raise RefusedError(Reason.BINDING_INVALID, "no instance has that name")
    made = bytearray(hashlib.sha256(_SPACE.bytes + instance_id.bytes + name.encode("ascii")).digest()[:16])
    made[6] = made[6] & 0x0F | _VERSION_BITS
    made[8] = made[8] & 0x3F | _VARIANT_BITS
    return str(uuid.UUID(bytes=bytes(made)))
