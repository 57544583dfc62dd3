"""Who calls: from the access token to roles and projects, within the rate limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gpuaas.api import problems
from gpuaas.api.resources import Resources, resources
from gpuaas.oidc import tokens

OPERATOR = "operator"
VIEWER = "viewer"
PLATFORM = "platform"
_GROUP_PREFIX = "/projects/"

_bearer = HTTPBearer(auto_error=False, description="Access token of the platform's realm")


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified subject; its token is good until ``expires_at``, in seconds of Unix time."""

    subject: str
    username: str
    roles: frozenset[str]
    projects: tuple[str, ...]
    expires_at: float

    def project(self, asked: str | None) -> str:
        """The project that a request is about. Raises ProblemError."""
        if asked is not None:
            if asked not in self.projects:
                raise problems.ProblemError(403, "forbidden", "You do not belong to that project.")
            return asked
        if not self.projects:
            raise problems.ProblemError(403, "forbidden", "You belong to no project.")
        if len(self.projects) > 1:
            raise problems.ProblemError(400, "invalid_request", "You belong to several projects: say which one.")
        return self.projects[0]


async def authenticated(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    its: Annotated[Resources, Depends(resources)],
) -> Caller:
    """A caller with a good token who has requests left. Raises ProblemError and TokenError."""
    if credentials is None or not credentials.credentials:
        raise problems.token_missing()
    settings = its.settings
    claims = await tokens.verify_access_token(
        its.provider, credentials.credentials, settings.oidc_audience, settings.oidc_leeway_seconds
    )
    caller = _from_claims(claims)
    request.state.subject = caller.subject
    await its.limiter.count(caller.subject)
    return caller


async def reader(caller: Annotated[Caller, Depends(authenticated)]) -> Caller:
    """A caller who may read. Raises ProblemError."""
    if not caller.roles & {VIEWER, OPERATOR}:
        raise problems.ProblemError(403, "forbidden", "This needs the role viewer or operator.")
    return caller


async def operator(caller: Annotated[Caller, Depends(authenticated)]) -> Caller:
    """A caller who may change things. Raises ProblemError."""
    if OPERATOR not in caller.roles:
        raise problems.ProblemError(403, "forbidden", "This needs the role operator.")
    return caller


async def platform(caller: Annotated[Caller, Depends(authenticated)]) -> Caller:
    """A caller who runs the platform, whatever its projects. Raises ProblemError."""
    if PLATFORM not in caller.roles:
        raise problems.ProblemError(403, "forbidden", "This needs the role platform.")
    return caller


def _from_claims(claims: dict[str, Any]) -> Caller:
    username = claims.get("preferred_username")
    return Caller(
        subject=claims["sub"],
        username=username if isinstance(username, str) else claims["sub"],
        roles=frozenset(_strings(claims.get("roles"))),
        expires_at=float(claims["exp"]),
        projects=tuple(sorted({name for group in _strings(claims.get("groups")) if (name := _project(group))})),
    )


def _project(group: str) -> str | None:
    """``/projects/<name>`` and nothing below it."""
    name = group.removeprefix(_GROUP_PREFIX)
    return name if name and name != group and "/" not in name else None


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
