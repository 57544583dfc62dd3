"""What this process was configured with, for a check of the platform: names, types, digests.

Who may know is the API's to say: it is asked with the caller's own token, so
that there is one place where tokens are judged, and no setting for it here.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gpuaas.web.api_client import ApiProblemError, ApiUnavailableError
from gpuaas.web.resources import resources

PLATFORM = "platform"


async def show(request: Request) -> Response:
    """The document, for the bearer of an access token with the role platform. A session's cookie does not count here."""
    its = resources(request)
    scheme, _separator, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return _refused(401, "token_missing", "Send an access token: Authorization: Bearer ...")
    if not token.strip().isascii() or not token.strip().isprintable():
        return _refused(401, "token_malformed", "The token is not a signed JSON Web Token.")
    try:
        caller = await its.api.me(token.strip())
    except ApiProblemError as problem:
        return _refused(problem.status, problem.code, problem.detail)
    except ApiUnavailableError:
        return _refused(503, "unavailable", "The API, which judges tokens, does not answer.")
    if PLATFORM not in caller.get("roles", []):
        return _refused(403, "forbidden", "This needs the role platform.")
    request.state.subject = caller.get("subject")
    return JSONResponse(its.configuration, headers={"Cache-Control": "no-store"})


def _refused(status: int, code: str, detail: str) -> Response:
    """Problem details (RFC 9457), as the API writes them."""
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        error = "" if code == "token_missing" else f', error="invalid_token", error_description="{detail}"'
        headers["WWW-Authenticate"] = f'Bearer realm="gpuaas"{error}'
    document = {"title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    return JSONResponse({"type": f"urn:gpuaas:problem:{code}", **document}, status, headers, "application/problem+json")
