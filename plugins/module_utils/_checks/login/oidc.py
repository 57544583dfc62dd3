# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser's part of OpenID Connect: discovery, the login form, the code flow with PKCE.

Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 6749 (OAuth 2.0), RFC 7636 (PKCE),
RFC 9207 (issuer in the authorization response).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.forms import describe, login_form
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx

_MAX_HOPS = 12


def _refused(seen: str) -> ParityError:
    return ParityError("LOGIN_FAILED", seen)


@dataclass(frozen=True)
class Credentials:
    """A user and a password that no message shows."""

    user: str
    password: str = field(repr=False)


def bare(url: httpx.URL | str) -> str:
    """A URL without its query: codes and states stay out of messages."""
    return str(httpx.URL(str(url)).copy_with(query=None, fragment=None))


def discovery(http: httpx.Client, issuer: str) -> dict[str, Any]:
    """The provider's metadata document. Raises ParityError ``HTTP_UNEXPECTED`` or ``HTTP_UNREACHABLE``."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        response = http.get(url)
        document = response.json() if response.status_code == 200 else None
    except httpx.TransportError as error:
        raise ParityError("HTTP_UNREACHABLE", f"{url}: {type(error).__name__}: {error}") from error
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ParityError("HTTP_UNEXPECTED", f"{url}: {response.status_code}, not a discovery document")
    return document


def claims(token: str) -> dict[str, Any]:
    """A JWT's claims, read and not verified: verifying is the API's part, and what is under test."""
    try:
        payload = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError) as error:
        raise _refused("the token is not a JWT") from error
    if not isinstance(found, dict):
        raise _refused("the token holds no claims")
    return found


def walk(
    http: httpx.Client, url: str, credentials: Credentials, stop: Callable[[httpx.URL], bool] = lambda _url: False
) -> tuple[httpx.Response, httpx.URL]:
    """Go from a URL through redirects and one login form, as a browser does.

    Ends at the first page that is no redirect, or before a redirect that ``stop`` accepts, which is
    not followed. Returns the last response and the URL it is for, or leads to. Raises ParityError
    ``LOGIN_FAILED`` when the form is refused, comes twice or the redirects do not end.
    """
    request = http.build_request("GET", url)
    filled = False
    for _hop in range(_MAX_HOPS):
        try:
            response = http.send(request, follow_redirects=False)
        except httpx.TransportError as error:
            raise _refused(f"{bare(request.url)}: {type(error).__name__}: {error}") from error
        if response.next_request is not None:
            if stop(response.next_request.url):
                return response, response.next_request.url
            request = response.next_request
            continue
        form = login_form(response.text, str(response.url))
        if form is None:
            return response, response.url
        if filled:
            raise _refused(f"{bare(response.url)} refused {credentials.user}: {describe(response.text, str(response.url))}")
        filled = True
        data = {**form.fields, "username": credentials.user, "password": credentials.password}
        request = http.build_request(form.method, form.action, data=data)
    raise _refused(f"{bare(url)}: more than {_MAX_HOPS} redirects, the last to {bare(request.url)}")


@dataclass(frozen=True)
class Client:
    """An OIDC client; the secret is never shown."""

    id: str
    secret: str = field(repr=False)
    redirect_uri: str = ""


def _token(http: httpx.Client, endpoint: str, client: Client, data: dict[str, str]) -> dict[str, Any]:
    try:
        # RFC 6749 section 2.3.1: form-encoded before it becomes basic authentication.
        response = http.post(endpoint, data=data, auth=(quote_plus(client.id), quote_plus(client.secret)))
        body = response.json()
    except httpx.TransportError as error:
        raise _refused(f"{endpoint}: {type(error).__name__}: {error}") from error
    except ValueError:
        body = None
    if not isinstance(body, dict) or response.status_code != 200 or not isinstance(body.get("access_token"), str):
        problem = body if isinstance(body, dict) else {}
        said = ": ".join(str(problem[key]) for key in ("error", "error_description") if problem.get(key))
        raise _refused(f"{endpoint} gave {client.id} no token: {response.status_code} {said}".rstrip())
    return body


def client_token(http: httpx.Client, issuer: str, client: Client) -> str:
    """An access token by client credentials (RFC 6749 section 4.4)."""
    endpoint = str(discovery(http, issuer)["token_endpoint"])
    return str(_token(http, endpoint, client, {"grant_type": "client_credentials"})["access_token"])


def code_flow(http: httpx.Client, issuer: str, client: Client, credentials: Credentials) -> dict[str, Any]:
    """Tokens by the code flow with PKCE S256 through the real login form.

    The code is taken from the redirect to the client's own redirect URI, which is not followed.
    State, issuer of the response (RFC 9207) and nonce of the ID token are verified.
    Raises ParityError ``LOGIN_FAILED`` or ``ISSUER_MISMATCH``.
    """
    document = discovery(http, issuer)
    verifier, state, nonce = (secrets.token_urlsafe(size) for size in (48, 16, 16))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    parameters = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.redirect_uri,
        "scope": "openid",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    start = str(httpx.URL(str(document["authorization_endpoint"]), params=parameters))
    response, reached = walk(http, start, credentials, lambda url: bare(url) == client.redirect_uri)
    if bare(reached) != client.redirect_uri:
        page = describe(response.text, str(response.url))
        raise _refused(f"the login ended at {bare(reached)} ({response.status_code}, {page}), not at the redirect URI")
    answer = {key: values[0] for key, values in parse_qs(urlsplit(str(reached)).query).items()}
    if "code" not in answer:
        raise _refused(f"the redirect carries no code: {answer.get('error')}: {answer.get('error_description')}")
    if answer.get("state") != state:
        raise _refused("the redirect carries another state than was sent")
    if answer.get("iss", issuer) != issuer:
        raise ParityError("ISSUER_MISMATCH", f"the redirect is from issuer {answer['iss']}, not {issuer}")
    exchange = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": client.redirect_uri, "code_verifier": verifier}
    tokens = _token(http, str(document["token_endpoint"]), client, exchange)
    if claims(str(tokens.get("id_token"))).get("nonce") != nonce:
        raise _refused("the ID token carries another nonce than was sent")
    return tokens
