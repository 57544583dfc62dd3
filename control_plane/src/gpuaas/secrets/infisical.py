"""Secrets of an Infisical server, read through its SDK.

Who we are comes from files in ``/run/secrets/infisical``, never from a setting:

- ``identity_id`` and ``token``: OIDC Auth. The token is the pod's projected
  service-account token, which the kubelet renews; so there is no secret to keep.
- ``client_id`` and ``client_secret``: Universal Auth, where there is no such token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

from gpuaas.secrets.local import LocalSecretsProvider
from gpuaas.secrets.provider import (
    SecretError,
    SourceAwayError,
    SourceUnavailableError,
    Used,
    missing,
    single_line,
)

if TYPE_CHECKING:
    from infisical_sdk import InfisicalSDKClient

IDENTITY = Path("/run/secrets/infisical")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of one environment of a project; ``project`` is an id or a slug."""

    server: str
    project: str
    environment: str
    path: str


class InfisicalSecretsProvider:
    """Logs in when first asked, and asks for each secret by its name: it sees what it needs and no more."""

    def __init__(self, folder: Folder, ca_file: Path, identity: Path = IDENTITY) -> None:
        self._folder = folder
        self._ca_file = ca_file
        self._identity = identity
        self._client: InfisicalSDKClient | None = None
        self._method = ""
        self._read: dict[str, None] = {}

    def used(self) -> Used:
        """The server, and how it knows us."""
        return Used("infisical", tuple(sorted(self._read)), self._folder.server, self._folder.path, self._method)

    def get(self, name: str) -> str:
        """The value of a secret, within 30 seconds. Raises SecretError."""
        # The SDK imports boto3: tens of megabytes that only this source may cost.
        from gpuaas.secrets import infisical_http

        try:
            if self._client is None:
                self._client = self._log_in(name, infisical_http.connect(self._folder.server, self._ca_file))
            value = _value(name, self._secret(name, self._client))
            self._read[name] = None
            return value
        except infisical_http.UnreachableError as error:
            raise SourceAwayError(name, f"does not answer ({error})") from None
        except infisical_http.APIError as error:
            if error.status_code == 404:
                raise missing(name) from None
            if error.status_code == 401:
                # Its tokens end, also with its process.
                self._client = None
                raise SourceAwayError(name, "has forgotten our log-in (401)", refused=True) from None
            if error.status_code == 403:
                raise SecretError(name, "is not for this machine identity (403)") from None
            raise SourceAwayError(name, f"answers {error.status_code}") from None
        except infisical_http.MALFORMED:
            raise SourceAwayError(name, "does not answer as Infisical does") from None

    def _log_in(self, name: str, client: InfisicalSDKClient) -> InfisicalSDKClient:
        from gpuaas.secrets.infisical_http import APIError

        ours = LocalSecretsProvider(self._identity)
        try:
            by_token = (self._identity / "token").exists()
            if by_token:
                client.auth.oidc_auth.login(identity_id=ours.get("identity_id"), jwt=ours.get("token"))
            else:
                client.auth.universal_auth.login(
                    client_id=ours.get("client_id"), client_secret=ours.get("client_secret")
                )
        except SecretError as error:
            raise SourceUnavailableError(name, f"needs a machine identity in {self._identity}: {error.name}") from None
        except APIError as error:
            refused = error.status_code < 500 and error.status_code != 429
            raise SourceAwayError(name, f"refuses our machine identity ({error.status_code})", refused) from None
        self._method = "oidc" if by_token else "universal"
        return client

    def _secret(self, name: str, client: InfisicalSDKClient) -> Any:
        project = {"project_id" if _UUID.fullmatch(self._folder.project) else "project_slug": self._folder.project}
        return client.secrets.get_secret_by_name(
            secret_name=name, environment_slug=self._folder.environment, secret_path=self._folder.path, **project
        )


def at(url: SplitResult, ca_file: Path) -> InfisicalSecretsProvider:
    """The provider of ``infisical+https://<host>[:port]/<project>/<environment>/<path>``. Raises ValueError."""
    names = url.path.removeprefix("/").split("/")
    if not url.hostname or url.port == 0 or len(names) < 2 or not all(_NAME.fullmatch(name) for name in names):
        raise ValueError
    project, environment, *path = names
    return InfisicalSecretsProvider(
        Folder(f"https://{url.netloc}", project, environment, "/" + "/".join(path)), ca_file
    )


def _value(name: str, secret: Any) -> str:
    # To whom it may be named but not shown, the server gives a placeholder.
    if secret.secretValueHidden:
        raise SecretError(name, "is not for this machine identity (hidden)")
    return single_line(name, secret.secretValue)
