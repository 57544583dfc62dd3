"""A small platform in one server: identity provider, web console and API, with faults to switch on."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import Any
from urllib.parse import urlencode

from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Asked, Reply, as_json

HOSTS = {"web": "web.gpuaas.localhost", "api": "api.gpuaas.localhost", "auth": "auth.gpuaas.localhost"}
SECRETS = {
    "web_client_secret": "s3cret/web",
    "probe_client_secret": "s3cret-probe",
    "user_alice_password": "alice-password",
    "user_bob_password": "not-bobs-password",
    "redis_password": "redis-password",
}
_USERS = {"alice": "alice-password", "bob": "bob-password"}
_CLIENTS = {"gpuaas-web": "s3cret%2Fweb", "gpuaas-probe": "s3cret-probe", "gpuaas-probe-short": "s3cret-probe"}


def realm(port: int) -> dict[str, Any]:
    callback = f"https://{HOSTS['web']}:{port}/auth/callback"
    return {
        "realm": "gpuaas",
        "url": f"https://{HOSTS['auth']}:{port}",
        "users": {name: {"password": f"user_{name}_password", "roles": ["operator"]} for name in ("alice", "bob", "mallory")},
        "clients": {
            "gpuaas-web": {"secret": "web_client_secret", "redirect_uris": [callback]},
            "gpuaas-probe": {"secret": "probe_client_secret"},
            "gpuaas-probe-short": {"secret": "probe_client_secret"},
        },
        "admin": {"username": "admin", "password": "keycloak_admin_password"},
    }


def contract(port: int) -> dict[str, Any]:
    owners = {"auth": "keeper"}
    endpoints = {
        name: {
            "service": owners.get(name, name),
            "host": host,
            "port": port,
            "scheme": "https",
            "url": f"https://{host}:{port}",
            "health": "/health",
        }
        for name, host in HOSTS.items()
    }
    issuer = f"https://{HOSTS['auth']}:{port}/realms/gpuaas"
    settings = {"GPUAAS_OIDC_ISSUER": issuer, "GPUAAS_LEVEL": "info"}
    services = {
        "api": {
            "role": "control_plane",
            "image": "api",
            "workload": "deployment/api",
            "host": "api.gpuaas-control-plane.svc.cluster.local",
            "namespace": "gpuaas-control-plane",
            "settings": settings,
            "secrets": {"redis_password": "redis_password"},
        },
        "web": {
            "role": "control_plane",
            "workload": "deployment/web",
            "namespace": "gpuaas-control-plane",
            "settings": {
                "GPUAAS_OIDC_ISSUER": issuer,
                "GPUAAS_OIDC_CLIENT_ID": "gpuaas-web",
                "GPUAAS_WEB_URL": endpoints["web"]["url"],
            },
            "secrets": {},
        },
        "keeper": {
            "role": "identity",
            "workload": "deployment/keeper",
            "namespace": "gpuaas-identity",
            "settings": {},
            "secrets": {},
            "provided_by": "others",
        },
        "traefik": {
            "role": "ingress",
            "workload": "deployment/traefik",
            "host": "traefik.gpuaas-ingress.svc.cluster.local",
            "namespace": "gpuaas-ingress",
            "settings": {"A": "1"},
            "secrets": {},
        },
        "canary": {
            "role": "cluster",
            "workload": "job/canary",
            "namespace": "gpuaas-canary",
            "settings": {},
            "secrets": {},
            "provided_by": "others",
        },
    }
    return {"mode": "kind", "lane": "core", "endpoints": endpoints, "services": services, "secrets": {"redis_password": {}}}


def jwt(**claims: Any) -> str:
    def part(document: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}.x"


def _problem(status: int, code: str) -> Reply:
    return as_json({"code": code}, status, WWW_Authenticate='Bearer realm="gpuaas"')


class Platform:
    """``fault`` switches one misbehaviour on; ``short_tokens_live`` is the API calls that an expiring token survives;
    ``configuration`` is what API and web console tell of theirs.
    """

    def __init__(self) -> None:
        self.port = 0
        self.fault = ""
        self.short_tokens_live = 3
        self.configuration: Any = {}
        self.pending: dict[str, dict[str, str]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.instances: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        self.cached: set[str] = set()
        self.logins = 0

    def url(self, name: str) -> str:
        return f"https://{HOSTS[name]}:{self.port}"

    @property
    def issuer(self) -> str:
        return f"{self.url('auth')}/realms/gpuaas"

    @property
    def callback(self) -> str:
        return f"{self.url('web')}/auth/callback"

    def answer(self, asked: Asked) -> Reply:
        name = asked.host.partition(".")[0]
        return {"auth": self._auth, "web": self._web, "api": self._api}[name](asked)

    # -- identity provider --------------------------------------------------

    def _auth(self, asked: Asked) -> Reply:
        match asked.method, asked.path.removeprefix("/realms/gpuaas"):
            case "GET", "/.well-known/openid-configuration":
                if self.fault == "no discovery":
                    return Reply(404, "nothing here")
                issuer = "https://elsewhere" if self.fault == "other issuer" else self.issuer
                ends = ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint")
                document = {end: f"{self.issuer}/{end}" for end in ends}
                if self.fault == "inside names":
                    document["jwks_uri"] = "http://keycloak:8080/jwks"
                return as_json({"issuer": issuer, **document})
            case "GET", "/authorization_endpoint":
                session = uuid.uuid4().hex
                self.pending[session] = asked.query
                return Reply(302, headers={"Location": f"/realms/gpuaas/form?session={session}", "Set-Cookie": f"kc={session}; Path=/"})
            case "GET", "/form":
                return self._form(asked.query["session"], "")
            case "POST", "/form":
                return self._log_in(asked)
            case "POST", "/token_endpoint":
                return self._token(asked)
        return Reply(404)

    def _form(self, session: str, error: str) -> Reply:
        action = f"/realms/gpuaas/form?session={session}&amp;x=1"
        return Reply(
            200,
            f"<html><head><title>Sign in</title></head><body><form action='/search'><input name='q'></form>"
            f"<span id='input-error'>{error}</span><form id='kc-form-login' method='post' action='{action}'>"
            f"<input name='username'><input type='password' name='password'><input type='hidden' name='credentialId' value='7'>"
            "</form></body></html>",
        )

    def _log_in(self, asked: Asked) -> Reply:
        session, form = asked.query["session"], asked.form
        if f"kc={session}" not in asked.headers.get("cookie", "") or form.get("credentialId") != "7":
            return Reply(400, "<title>cookie not found</title>")
        if _USERS.get(form.get("username", "")) != form.get("password"):
            return self._form(session, "Invalid username or password.")
        if self.fault == "required action":
            return Reply(200, "<title>Update password</title>")
        self.logins += 1
        request = self.pending.pop(session)
        code = uuid.uuid4().hex
        self.codes[code] = {**request, "user": form["username"]}
        answer = {"code": code, "state": request["state"], "iss": self.issuer}
        if self.fault == "wrong state":
            answer["state"] = "other"
        if self.fault == "wrong response issuer":
            answer["iss"] = "https://elsewhere"
        if self.fault == "denied":
            answer = {"error": "access_denied", "error_description": "no", "state": request["state"]}
        return Reply(302, headers={"Location": f"{request['redirect_uri']}?{urlencode(answer)}"})

    def _token(self, asked: Asked) -> Reply:
        scheme, _separator, encoded = asked.headers.get("authorization", "").partition(" ")
        client, _separator, secret = base64.b64decode(encoded).decode().partition(":")
        if scheme != "Basic" or _CLIENTS.get(client) != secret or self.fault == "client refused":
            return as_json({"error": "invalid_client", "error_description": "bad secret"}, 401)
        if asked.form["grant_type"] == "client_credentials":
            right = (client == "gpuaas-probe-short") != (self.fault == "swapped audiences")
            return as_json({"access_token": jwt(aud="gpuaas-api" if right else "account", client=client), "expires_in": 1})
        code = self.codes.pop(asked.form["code"])
        verifier = hashlib.sha256(asked.form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() != code["code_challenge"]:
            return as_json({"error": "invalid_grant", "error_description": "PKCE"}, 400)
        audience = "account" if self.fault == "wrong audience" else ["account", "gpuaas-api"]
        issuer = "https://elsewhere" if self.fault == "token of other issuer" else self.issuer
        nonce = "other" if self.fault == "wrong nonce" else code["nonce"]
        tokens = {"access_token": jwt(iss=issuer, aud=audience, user=code["user"]), "id_token": jwt(nonce=nonce)}
        return as_json({**tokens, "expires_in": 300})

    # -- web ----------------------------------------------------------------

    def _web(self, asked: Asked) -> Reply:
        match asked.path:
            case "/auth/login":
                if self.fault == "endless redirect":
                    return Reply(302, headers={"Location": "/auth/login"})
                query = {"redirect_uri": self.callback, "state": "s", "nonce": "n", "code_challenge": "c"}
                return Reply(303, headers={"Location": f"{self.issuer}/authorization_endpoint?{urlencode(query)}"})
            case "/auth/callback":
                if "error" in asked.query:
                    return Reply(400, f"<title>{asked.query['error']}</title>")
                user = self.codes.pop(asked.query.get("code", ""), {}).get("user", "")
                return Reply(303, headers={"Location": "/", "Set-Cookie": f"session={user}; Path=/; Secure; HttpOnly"})
            case "/configuration":
                return self._refusal(asked) or as_json(self.configuration)
            case "/":
                user = asked.headers.get("cookie", "").partition("session=")[2]
                shown = "" if self.fault == "nameless page" else user
                return Reply(500 if self.fault == "broken page" else 200, f"<title>Instances</title><p>Hello {shown}</p>")
        return Reply(200, "<title>web</title> live", {"X-Live": "yes"})

    # -- API ----------------------------------------------------------------

    def _api(self, asked: Asked) -> Reply:
        refusal = self._refusal(asked)
        if refusal:
            return refusal
        match asked.method, asked.path.split("/")[2:]:
            case "POST", ["instances"]:
                return self._create(asked)
            case "GET", ["instances"]:
                return self._list(asked)
            case "GET", ["instances", ident]:
                stored = self.instances.get(ident)
                return as_json(stored if self.fault != "forgets" else {**stored, "gpu_count": 9}) if stored else _problem(404, "gone")
            case "DELETE", ["instances", ident]:
                self.instances.pop(ident, None)
                return Reply(500 if self.fault == "cannot delete" else 204)
            case "GET", ["configuration"]:
                return as_json(self.configuration)
        return as_json({"status": "ready", "numbers": [1, 2]})

    def _refusal(self, asked: Asked) -> Reply | None:
        if not asked.path.startswith(("/v1", "/configuration")):
            return None
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return None if self.fault == "open door" else self._marked(_problem(401, "token_missing"))
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if "gpuaas-api" not in audience:
            return None if self.fault == "any audience" else _problem(401, "token_audience")
        if claims.get("client") == "gpuaas-probe-short":
            self.short_tokens_live -= 1
            if self.fault == "refused too early":
                return _problem(401, "token_signature")
            if self.short_tokens_live < 0 and self.fault != "lives for ever":
                return _problem(401, "token_expired")
            return _problem(403, "forbidden")
        return _problem(403, "forbidden") if self.fault == "forbidden" else None

    def _marked(self, reply: Reply) -> Reply:
        if self.fault == "no challenge":
            reply.headers.pop("WWW-Authenticate")
        if self.fault == "no problem document":
            reply.body = "no"
        return reply

    def _create(self, asked: Asked) -> Reply:
        if self.fault == "cannot write":
            return _problem(503, "database")
        key = asked.headers["idempotency-key"]
        if key in self.keys and self.fault != "not idempotent":
            headers = {} if self.fault == "silent replay" else {"Idempotency_Replayed": "true"}
            return as_json(self.instances[self.keys[key]], 200, **headers)
        ident = str(uuid.uuid4())
        self.keys[key] = ident
        self.instances[ident] = {"id": ident, **json.loads(asked.body)}
        return as_json({} if self.fault == "no id" else self.instances[ident], 201)

    def _list(self, asked: Asked) -> Reply:
        page = asked.query.get("limit", "")
        hit = (page in self.cached and self.fault != "never caches") or self.fault == "always hit"
        self.cached.add(page)
        return as_json({"items": []}, **({} if self.fault == "no cache header" else {"X_Cache": "hit" if hit else "miss"}))
