"""A stand-in for Infisical: as much of its API as ``infisicalsdk`` calls for a process that reads its secrets, and no more.

It is no Infisical, and README.md says what it lacks. Shapes and routes are those of Infisical's API v1 (log-in) and v3 (raw
secrets). What it holds are files ``<component>.<key>`` that are mounted for it; each component has a folder ``/<component>``
and a machine identity that reads this folder alone.

- In a cluster a component shows its projected service-account token (OIDC Auth). Issuer, audience, subject and signature are
  verified, the last with the keys of the API server.
- Elsewhere it shows a client id and a client secret (Universal Auth). There is one way in, never both.

Who reads with the id of an identity reads what it was made for: the id follows from the values, so that a process of before
a rotation, or a server of before it, is refused instead of giving or getting an old value.
"""

from __future__ import annotations

import hmac
import json
import os
import signal
import ssl
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import uvicorn
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

EX_CONFIG = 78  # sysexits.h
FILES = Path("/run/secrets/gpuaas")
CERTIFICATE = Path("/run/certificates")
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
KEYS_URL = "https://kubernetes.default.svc/openid/v1/jwks"
CLIENT_SECRET = "client_secret"  # noqa: S105  # its name
# A process asks for all of its secrets at once, when it starts.
TOKEN_SECONDS = 300
MOST_TOKENS = 500
MOST_BYTES = 16 * 1024
KEYS_EVERY_SECONDS = 5.0
KEYS_PATIENCE_SECONDS = 2.0
# What an API server signs with, by the type of its key (kubernetes: pkg/serviceaccount/jwt.go). kubeadm makes ECDSA-P256 or RSA,
# as it is told to.
ALGORITHMS = ["RS256", "ES256", "ES384", "ES512"]


class ConfigurationError(Exception):
    """What it cannot start with; one line, without a value."""


class RefusedError(Exception):
    """A request that is answered with a status of its own; says nothing of a value."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def identity_id(client_secret: str, values: Mapping[str, str]) -> str:
    """The id of an identity, as a UUID: HMAC-SHA-256 with its secret, over the values that it reads, as JSON with sorted keys.

    Who delivers it to the component computes the same.
    """
    document = json.dumps(dict(values), sort_keys=True, separators=(",", ":"))
    return str(uuid.UUID(bytes=hmac.digest(client_secret.encode(), document.encode(), "sha256")[:16]))


@dataclass(frozen=True)
class Folder:
    """What one component may read, and what it logs in with."""

    component: str
    identity_id: str
    client_secret: str = field(repr=False)
    values: Mapping[str, str] = field(repr=False)


def read_folders(directory: Path) -> dict[str, Folder]:
    """Every folder by its component. Raises ConfigurationError for files of no folder, and for a folder without an identity."""
    found: dict[str, dict[str, str]] = {}
    try:
        # Kubernetes keeps the files in a hidden directory, and links to them.
        for path in sorted(path for path in directory.iterdir() if not path.name.startswith(".")):
            component, separator, key = path.name.partition(".")
            if not separator or not component or not key:
                raise ConfigurationError(f"{path} is no file of a folder: its name is not <component>.<key>")
            found.setdefault(component, {})[key] = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{directory}: {type(error).__name__}") from None
    folders = {}
    for component, values in found.items():
        client_secret = values.pop(CLIENT_SECRET, "")
        if not client_secret:
            raise ConfigurationError(f"{directory}: {component} has no {CLIENT_SECRET}, so nobody could be told to be it")
        folders[component] = Folder(component, identity_id(client_secret, values), client_secret, values)
    if not folders:
        raise ConfigurationError(f"{directory} is empty: there is nobody to serve")
    return folders


class Cluster:
    """Verifies service-account tokens of a cluster. ``fetch`` gives its keys as a JWK Set (RFC 7517)."""

    def __init__(self, issuer: str, audience: str, namespaces: frozenset[str], fetch: Callable[[], Any]) -> None:
        self._issuer, self._audience, self._namespaces, self._fetch = issuer, audience, namespaces, fetch
        self._keys: KeySet | None = None
        self._fetched_at = -KEYS_EVERY_SECONDS
        self._lock = threading.Lock()

    def component_of(self, token: str) -> str:
        """The component that a token is for: the name of its service account. Raises RefusedError."""
        claims = self._claims(token)
        wanted = jwt.JWTClaimsRegistry(
            leeway=5,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            wanted.validate(claims)
        except JoseError as error:
            raise RefusedError(401, f"token: {error.error}") from None
        match str(claims["sub"]).split(":"):
            case ["system", "serviceaccount", namespace, name] if namespace in self._namespaces:
                return name
        raise RefusedError(401, "token: of no service account that may log in")

    def _claims(self, token: str) -> dict[str, Any]:
        # Keys may have been rolled since they were fetched.
        for keys_of in (self._known, self._newer):
            try:
                return dict(jwt.decode(token, keys_of(), algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError):
                continue
        raise RefusedError(401, "token: not signed by the cluster")

    def _known(self) -> KeySet:
        return self._keys or self._newer()

    def _newer(self) -> KeySet:
        """The keys as they are now, where they were not just fetched: who makes tokens up does not make us ask. Raises RefusedError."""
        with self._lock:
            if time.monotonic() - self._fetched_at >= KEYS_EVERY_SECONDS:
                self._fetched_at = time.monotonic()
                try:
                    self._keys = KeySet.import_key_set(self._fetch())
                except (OSError, ValueError, KeyError, TypeError, JoseError) as error:
                    say("keys", outcome="unavailable", cause=type(error).__name__)
            if self._keys is None:
                raise RefusedError(503, "the cluster does not tell its keys")
            return self._keys


class StandIn:
    """``cluster`` is who knows tokens; None where there is none, and clients log in with their secrets."""

    def __init__(self, folders: Mapping[str, Folder], project: str, environment: str, cluster: Cluster | None) -> None:
        self._folders, self._project, self._environment, self._cluster = folders, project, environment, cluster
        self._tokens: dict[bytes, tuple[Folder, float]] = {}

    def app(self) -> Starlette:
        """The routes."""
        return Starlette(
            routes=[
                Route("/api/v1/auth/oidc-auth/login", self._oidc, methods=["POST"]),
                Route("/api/v1/auth/universal-auth/login", self._universal, methods=["POST"]),
                Route("/api/v3/secrets/raw/{name}", self._secret, methods=["GET"]),
            ],
            exception_handlers={RefusedError: _refusal},
        )

    async def _oidc(self, request: Request) -> Response:
        given = await _given(request, "identityId", "jwt")
        if self._cluster is None:
            raise RefusedError(401, "no OIDC Auth here: there is no cluster that issues tokens")
        component = await run_in_threadpool(self._cluster.component_of, given["jwt"])
        folder = self._folders.get(component)
        if folder is None or not _equal(folder.identity_id, given["identityId"]):
            raise RefusedError(401, "no such identity, or not that of the token")
        return self._logged_in(folder, "oidc")

    async def _universal(self, request: Request) -> Response:
        given = await _given(request, "clientId", "clientSecret")
        if self._cluster is not None:
            raise RefusedError(401, "no Universal Auth here: identities show a token of the cluster")
        for folder in self._folders.values():
            # Both, whichever is wrong.
            if _equal(folder.identity_id, given["clientId"]) & _equal(folder.client_secret, given["clientSecret"]):
                return self._logged_in(folder, "universal")
        raise RefusedError(401, "no such identity, or not its secret")

    def _logged_in(self, folder: Folder, method: str) -> Response:
        token, now = token_urlsafe(32), time.monotonic()
        live = [(key, value) for key, value in self._tokens.items() if value[1] > now]
        # The oldest ones go: whoever had them logs in again.
        self._tokens = dict(live[-MOST_TOKENS + 1 :]) | {_hashed(token): (folder, now + TOKEN_SECONDS)}
        say("log-in", outcome="accepted", identity=folder.component, method=method)
        return JSONResponse(
            {"accessToken": token, "expiresIn": TOKEN_SECONDS, "accessTokenMaxTTL": TOKEN_SECONDS, "tokenType": "Bearer"},
            headers={"Cache-Control": "no-store"},
        )

    async def _secret(self, request: Request) -> Response:
        name, query = request.path_params["name"], request.query_params
        scheme, _separator, token = request.headers.get("authorization", "").partition(" ")
        folder, until = self._tokens.get(_hashed(token), (None, 0.0))
        if scheme != "Bearer" or folder is None or until <= time.monotonic():
            raise RefusedError(401, "no access token, or one that has ended")
        if (query.get("workspaceSlug"), query.get("environment")) != (self._project, self._environment):
            raise RefusedError(404, "no such project or environment")
        if query.get("secretPath") != f"/{folder.component}":
            raise RefusedError(403, "not a folder of this identity")
        if name not in folder.values:
            raise RefusedError(404, "no such secret in the folder")
        say("read", outcome="accepted", identity=folder.component, secret=name)
        shown = query.get("viewSecretValue", "true") == "true"
        return JSONResponse({"secret": self._document(folder, name, shown)}, headers={"Cache-Control": "no-store"})

    def _document(self, folder: Folder, name: str, shown: bool) -> dict[str, Any]:
        of = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._project}/{self._environment}/{folder.component}/{name}"))
        return {
            "id": of,
            "_id": of,
            "workspace": self._project,
            "environment": self._environment,
            "version": 1,
            "type": "shared",
            "secretKey": name,
            "secretValue": folder.values[name] if shown else "<hidden-by-infisical>",
            "secretComment": "",
            "secretValueHidden": not shown,
            "secretPath": f"/{folder.component}",
            "createdAt": "1970-01-01T00:00:00.000Z",
            "updatedAt": "1970-01-01T00:00:00.000Z",
            "tags": [],
        }


def say(what: str, **fields: str) -> None:
    """One line of JSON: who did what. Never a value, a token, or what a stranger sent."""
    print(json.dumps({"event": what, **fields}), flush=True)


class _Server(uvicorn.Server):
    """Returns when it is told to stop: uvicorn's own would die by the signal."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def main() -> int:
    """Serve until stopped; 78 for what it cannot start with."""
    try:
        standing, host, port = configured(os.environ, FILES, ACCOUNT)
        config = uvicorn.Config(
            standing.app(),
            host=host,
            port=port,
            ssl_certfile=CERTIFICATE / "tls.crt",
            ssl_keyfile=CERTIFICATE / "tls.key",
            access_log=False,
            log_level="error",
            lifespan="off",
            limit_concurrency=64,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        config.load()
    except ConfigurationError as error:
        print(f"infisical-stand-in: configuration: {error}", file=sys.stderr)
        return EX_CONFIG
    except OSError as error:
        print(f"infisical-stand-in: configuration: {CERTIFICATE}: {type(error).__name__}", file=sys.stderr)
        return EX_CONFIG
    if config.ssl is None:
        return EX_CONFIG
    config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
    _Server(config).run()
    return 0


def configured(environ: Mapping[str, str], files: Path, account: Path) -> tuple[StandIn, str, int]:
    """The server, and where it listens. In a cluster, which has given it an account, tokens are the way in. Raises ConfigurationError."""
    names = ("HOST", "PORT", "URL", "PROJECT", "ENVIRONMENT", "ISSUER", "NAMESPACES")
    missing = [f"STAND_IN_{name}" for name in names if not environ.get(f"STAND_IN_{name}")]
    if missing:
        raise ConfigurationError(f"{', '.join(missing)} missing")
    host, port, url, project, environment, issuer, namespaces = (environ[f"STAND_IN_{name}"] for name in names)
    cluster = None
    if (account / "token").exists():
        cluster = Cluster(issuer, url, frozenset(namespaces.split(",")), lambda: _keys(account))
    return StandIn(read_folders(files), project, environment, cluster), host, int(port)


def _keys(account: Path) -> Any:
    """The cluster's keys. Its token and CA are read each time: the kubelet renews them. Raises OSError and ValueError."""
    trust = ssl.create_default_context(cafile=str(account / "ca.crt"))
    request = urllib.request.Request(KEYS_URL, headers={"Authorization": f"Bearer {(account / 'token').read_text().strip()}"})
    # No proxy of the environment, and no other scheme.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    with opener.open(request, timeout=KEYS_PATIENCE_SECONDS) as answer:
        return json.loads(answer.read(MOST_BYTES * 4))


async def _given(request: Request, *names: str) -> dict[str, str]:
    """The named texts of a JSON body. Raises RefusedError for another body, and for a long one."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise RefusedError(413, "too long")
    try:
        document = json.loads(body)
        found: dict[str, str] = {name: document[name] for name in names}
        for value in found.values():
            # JSON may hold half a character, which is no text; nor is what cannot be encoded.
            value.encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RefusedError(422, f"wants {' and '.join(names)}") from None
    return found


async def _refusal(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedError) else 500
    say("refused", outcome=str(status), cause=str(error))
    document = {"reqId": "", "statusCode": status, "message": str(error), "error": HTTPStatus(status).phrase}
    return JSONResponse(document, status, headers={"Cache-Control": "no-store"})


def _equal(ours: str, given: str) -> bool:
    return hmac.compare_digest(ours.encode(), given.encode())


def _hashed(token: str) -> bytes:
    return sha256(token.encode()).digest()


if __name__ == "__main__":
    sys.exit(main())
