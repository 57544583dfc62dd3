"""What a process holds when it starts: which security mode, which keys; refused where they do not suit each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gpuaas.encryption.environment import environment_of
from gpuaas.encryption.providers import Root, provider_of
from gpuaas.encryption.providers.url import Url, path_of
from gpuaas.encryption.security import Held, MemberKeys, SecurityMode, refuse

if TYPE_CHECKING:
    from gpuaas.settings import ApiSettings, WebSettings


@dataclass(frozen=True, slots=True)
class Keys:
    """``files`` are the names and texts of files with keys that the process was given."""

    mode: SecurityMode
    member_keys: MemberKeys
    root: Root
    files: Mapping[str, str] = field(repr=False, default_factory=dict)

    def told(self) -> dict[str, object]:
        """What may be told of them."""
        root = {"scheme": self.root.scheme, "primary": self.root.primary, "versions": list(self.root.versions)}
        return {"mode": self.mode, "member_keys": self.member_keys, "root_key": root}


def of_api(settings: ApiSettings) -> Keys:
    """Raises RefusedError: as ``refuse`` does, and for a root key in a file that cannot be used.

    A KMS is not asked: that it is away must not keep from starting what does not need it yet.
    """
    url = settings.key_provider
    refuse(settings.security_mode, Held(url.scheme, settings.member_keys, {"GPUAAS_OIDC_ISSUER": settings.oidc_issuer}))
    if url.scheme != "file":
        return Keys(settings.security_mode, settings.member_keys, Root(url.scheme, "", ()))
    root = provider_of(url, environment_of(settings.oidc_issuer)).public()
    return Keys(settings.security_mode, settings.member_keys, root, _file(url))


def of_web(settings: WebSettings) -> Keys:
    """The console holds no keys of this hierarchy. Raises RefusedError as ``refuse`` does."""
    urls = {"GPUAAS_WEB_URL": settings.web_url, "GPUAAS_OIDC_ISSUER": settings.oidc_issuer}
    refuse(settings.security_mode, Held("none", MemberKeys.DEVICES, urls))
    return Keys(settings.security_mode, MemberKeys.DEVICES, Root("none", "", ()))


def _file(url: Url) -> dict[str, str]:
    from gpuaas.encryption.providers import keyring_file

    path = path_of(url.rest)
    return {path.name: keyring_file.content(path).decode().removesuffix("\n")}
