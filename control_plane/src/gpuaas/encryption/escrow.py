"""A member's private keys at the server, wrapped by the root key: for made-up members in STAGING, and in LOCAL.

The security mode says where that may be; see ``security``.
"""

from __future__ import annotations

import uuid

from gpuaas.encryption import platform_data
from gpuaas.encryption.binding import Binding, DataClass
from gpuaas.encryption.member import MemberKey

_TYPE = "member.key"
_SPACE = uuid.UUID("4f1bb45c-3a5e-4a4c-9d3e-0d5a1b0a7c11")


def seal(key: MemberKey, project: str, provider: platform_data.Wrapping) -> str:
    """``key``, for who may use the provider's root key. Raises RefusedError."""
    return platform_data.seal(key.serialized(), _binding(key.environment, project, key.kid), provider)


def open_sealed(sealed: str, environment: str, project: str, kid: str, provider: platform_data.Wrapping) -> MemberKey:
    """The private keys of the member of that thumbprint. Raises RefusedError."""
    return MemberKey.read(platform_data.open_sealed(sealed, _binding(environment, project, kid), provider), environment)


def _binding(environment: str, project: str, kid: str) -> Binding:
    return Binding(environment, DataClass.PLATFORM, project, str(uuid.uuid5(_SPACE, kid)), _TYPE, 1)
