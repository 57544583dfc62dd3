"""A Keycloak made of dictionaries: as much of its admin API as the module uses, with the real one's manners.

It answers on loopback HTTP. What it imitates was observed on Keycloak 26.7.3:
groups are listed one level at a time, an update of a client or a client scope
ignores its scopes and mappers, a realm with another URL accepts no token of
before, an empty attribute is a removed one, a realm's
attributes are replaced as a whole, an imported user has only the roles it is
given.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.native import MAPPERS
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.native_flows import STEPS, Step

Json = dict[str, Any]
BUILT_IN_SCOPES = ("basic", "profile", "email", "roles", "service_account", "offline_access")
BUILT_IN_CLIENTS = ("account", "account-console", "admin-cli", "broker", "security-admin-console")


class Answer(Exception):
    def __init__(self, status: int, body: Any = None, location: str = "") -> None:
        super().__init__(status)
        self.status, self.body, self.location = status, body, location


class FakeKeycloak:
    """State and faults. ``cut_after`` breaks the connection once that many requests were answered."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.realms: dict[str, Realm] = {"master": Realm(self, {"realm": "master", "enabled": True})}
        master = self.realms["master"]
        master.roles["admin"] = {"id": self.id(), "name": "admin"}
        temporary = {"clientId": client_id, "secret": client_secret, "serviceAccountsEnabled": True}
        master.add_client(temporary | {"attributes": {"is_temporary_admin": "true"}})
        self.tokens: dict[str, tuple[str, str]] = {}
        # Refresh tokens of sessions that have not been ended.
        self.sessions: set[str] = set()
        self.log: list[tuple[str, str]] = []
        self.cut_after: int | None = None
        self.cut_applied = False
        self.forbidding = False
        self.answer_instead: Callable[[str, str], Answer | None] = lambda method, path: None

    def id(self) -> str:
        return f"id-{next(self.numbers)}"

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(m, p) for m, p in self.log if m != "GET" and not p.startswith("/realms/master/protocol")]

    def handle(self, method: str, path: str, query: dict[str, str], body: Any, bearer: str) -> Answer:
        try:
            if path == "/realms/master/protocol/openid-connect/token":
                raise self.token(body)
            if path == "/realms/master/protocol/openid-connect/logout":
                self.sessions.discard(body["refresh_token"])
                raise Answer(204)
            if bearer not in self.tokens:
                raise Answer(401, {"error": "HTTP 401 Unauthorized"})
            if not self.may_administer(*self.tokens[bearer]):
                raise Answer(403, {"error": "HTTP 403 Forbidden"})
            parts = [unquote(part) for part in path.removeprefix("/admin/realms").strip("/").split("/") if part]
            if not parts:
                raise Answer(200, [{"realm": name} for name in self.realms]) if method == "GET" else self.create_realm(body)
            if parts[0] not in self.realms:
                raise Answer(404, {"error": "Realm not found."})
            raise self.realms[parts[0]].route(method, parts[1:], query, body)
        except Answer as answer:
            return answer

    def token(self, form: Json) -> Answer:
        master = self.realms["master"]
        if form.get("grant_type") == "password":
            user = master.users.get(form["username"])
            who = ("user", form["username"]) if user and user["password"] == form["password"] else None
        else:
            found = master.clients.get(form["client_id"])
            who = ("client", form["client_id"]) if found and found["secret"] == form["client_secret"] else None
        if who is None:
            return Answer(401, {"error": "invalid_grant", "error_description": "Invalid user credentials"})
        token = f"token-{self.id()}"
        self.tokens[token] = who
        if who[0] == "client":
            # RFC 6749 section 4.4.3, and no session that one could end.
            return Answer(200, {"access_token": token})
        self.sessions.add(f"refresh-{token}")
        return Answer(200, {"access_token": token, "refresh_token": f"refresh-{token}"})

    def may_administer(self, kind: str, name: str) -> bool:
        master = self.realms["master"]
        if self.forbidding:
            return False
        return name in master.clients if kind == "client" else "admin" in master.users[name]["roles"]

    def create_realm(self, body: Json) -> Answer:
        if body["realm"] in self.realms:
            return Answer(409, {"errorMessage": f"Conflict detected. Realm {body['realm']} already exists"})
        fields = {k: v for k, v in body.items() if k not in ("roles", "groups", "users", "clients")}
        realm = Realm(self, fields)
        for client in body.get("clients", []):
            del realm.clients[client["clientId"]]
            realm.add_client(client)
        for role in body.get("roles", {}).get("realm", []):
            realm.roles[role["name"]] = role | {"id": self.id()}
        realm.import_groups(body.get("groups", []), "")
        for user in body.get("users", []):
            realm.add_user(user, set(user.get("realmRoles", [])))
        self.realms[body["realm"]] = realm
        self.realms["master"].add_client({"clientId": f"{body['realm']}-realm", "bearerOnly": True})
        return Answer(201)


class Realm:
    def __init__(self, server: FakeKeycloak, fields: Json) -> None:
        self.server = server
        self.fields: Json = {"attributes": {"cibaInterval": "5"}, "accessTokenLifespan": 60} | fields
        self.roles: dict[str, Json] = {}
        self.groups: dict[str, str] = {}
        self.scopes: dict[str, Json] = {}
        self.clients: dict[str, Json] = {}
        self.users: dict[str, Json] = {}
        # Roles of clients as client/role, by who holds them: a username, a group's path, the name of a role.
        self.granted: dict[str, list[str]] = {}
        self.group_roles: dict[str, set[str]] = {}
        self.composites: dict[str, list[str]] = {f"default-roles-{fields['realm']}": ["offline_access", "account/view-profile"]}
        self.identity_providers: dict[str, Json] = {}
        self.components: dict[str, Json] = {}
        for name in ("offline_access", f"default-roles-{fields['realm']}"):
            self.roles[name] = {"id": server.id(), "name": name, "description": "built in"}
        for name in BUILT_IN_SCOPES:
            mappers = [copy.deepcopy(mapper) | {"id": server.id()} for mapper in MAPPERS.get(name, ())]
            self.scopes[name] = {"id": server.id(), "name": name, "protocolMappers": mappers}
        # The rights on each realm are a client of realm master; on itself every other realm has one besides.
        rights = "master-realm" if fields["realm"] == "master" else "realm-management"
        for name in (*BUILT_IN_CLIENTS, rights):
            self.add_client({"clientId": name, "enabled": True, "directAccessGrantsEnabled": name == "admin-cli"})
        for name in ("ecdsa-generated", "fallback-RS256"):
            self.add_component(name, "org.keycloak.keys.KeyProvider", "rsa-generated")
        self.flows = {alias: {"id": server.id(), "alias": alias, "builtIn": True} for alias in STEPS}
        self.executions = {alias: self.flow_of(steps) for alias, steps in STEPS.items()}

    def flow_of(self, steps: dict[str, Step]) -> list[Json]:
        levels: dict[str, int] = {}
        found: list[Json] = []
        for path, step in steps.items():
            parent, _slash, name = path.rpartition("/")
            levels[name] = levels[parent] + 1 if parent else 0
            flow = any(other.startswith(f"{name}/") for other in steps)
            named: Json = {"displayName": name, "authenticationFlow": True} if flow else {"displayName": "shown", "providerId": name}
            config: Json = {"alias": step.config, "authenticationConfig": self.server.id()} if step.config else {}
            place = {"id": self.server.id(), "level": levels[name], "requirement": step.requirement, "priority": step.priority}
            found.append(named | config | place)
        return found

    def add_component(self, name: str, kind: str, provider: str) -> None:
        own = self.server.id()
        self.components[own] = {"id": own, "name": name, "providerType": kind, "providerId": provider}

    def import_groups(self, groups: list[Json], parent: str) -> None:
        for group in groups:
            path = f"{parent}/{group['name']}"
            self.groups[path] = self.server.id()
            self.import_groups(group.get("subGroups", []), path)

    def add_client(self, body: Json) -> str:
        if body["clientId"] in self.clients:
            raise Answer(409, {"errorMessage": f"Client {body['clientId']} already exists"})
        client: Json = {"id": self.server.id(), "attributes": {}, "defaultClientScopes": [], "optionalClientScopes": []}
        client |= {"secret": "generated", "redirectUris": [], "webOrigins": [], "fullScopeAllowed": True}
        client |= {"serviceAccountsEnabled": False} | body
        client["attributes"] = {k: v for k, v in client["attributes"].items() if v}
        scopes = set(client["defaultClientScopes"]) & set(self.scopes)
        client["defaultClientScopes"] = sorted(scopes | ({"service_account"} if client.get("serviceAccountsEnabled") else set()))
        self.clients[body["clientId"]] = client
        return str(client["id"])

    def add_user(self, body: Json, roles: set[str]) -> str:
        if body["username"] in self.users:
            raise Answer(409, {"errorMessage": "User exists with same username"})
        user: Json = {
            "id": self.server.id(),
            "fields": {},
            "roles": roles,
            "groups": set(),
            "password": None,
            "stored": None,
        }
        user["fields"] = {k: v for k, v in body.items() if k not in ("credentials", "groups", "realmRoles")}
        for path in body.get("groups", []):
            if path not in self.groups:
                raise Answer(400, {"errorMessage": f"unknown group {path}"})
            user["groups"].add(path)
        self.users[body["username"]] = user
        for credential in body.get("credentials", []):
            self.set_password(user, credential["value"])
        return str(user["id"])

    def set_password(self, user: Json, value: str) -> None:
        user["password"], user["stored"] = value, next(self.server.numbers)

    def route(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        if not parts:
            return self.self_resource(method, body)
        handler = getattr(self, "on_" + parts[0].replace("-", "_"), None)
        return handler(method, parts[1:], query, body) if handler else Answer(404, {"error": "no such resource"})

    def self_resource(self, method: str, body: Json) -> Answer:
        if method == "PUT":
            if body.get("attributes", {}).get("frontendUrl") != self.fields["attributes"].get("frontendUrl"):
                # Another issuer: what was issued counts no longer.
                self.server.tokens.clear()
            self.fields |= body
            return Answer(204)
        return Answer(200, {"id": self.fields["realm"], **self.fields})

    def on_roles(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        if not parts:
            if method == "GET":
                return Answer(200, [self.role(name) for name in self.roles])
            return self.listing_or_create(method, self.roles, "name", body)
        if parts[0] not in self.roles:
            return Answer(404, {"error": "Could not find role"})
        if parts[1:] == ["composites"]:
            held = self.composites.get(parts[0], [])
            if method == "GET":
                return Answer(200, [self.role_of(name) for name in held])
            self.composites[parts[0]] = [name for name in held if self.role_of(name) not in body]
            return Answer(204)
        if method == "PUT":
            self.roles[parts[0]] |= {key: value for key, value in body.items() if key != "composite"}
        elif method == "DELETE":
            del self.roles[parts[0]]
            for user in self.users.values():
                user["roles"].discard(parts[0])
        return Answer(200, self.role(parts[0])) if method == "GET" else Answer(204)

    def role(self, name: str) -> Json:
        return self.roles[name] | {"composite": bool(self.composites.get(name))}

    def role_of(self, name: str) -> Json:
        """A realm role, or one of a client as ``client/role``."""
        client, _slash, own = name.rpartition("/")
        if not client:
            return {"name": own, "clientRole": False}
        return {"name": own, "clientRole": True, "containerId": self.clients[client]["id"]}

    def mappings(self, method: str, holder: str, realm_roles: set[str], parts: list[str], body: Any) -> Answer:
        """Roles that somebody holds: all of them, those of the realm, those of a client."""
        held = self.granted.get(holder, [])
        if method == "GET":
            of_clients: Json = {}
            for name in held:
                client, _slash, role = name.rpartition("/")
                found = of_clients.setdefault(client, {"id": self.clients[client]["id"], "client": client, "mappings": []})
                found["mappings"].append({"name": role})
            realm = [self.roles[role] for role in sorted(realm_roles)]
            return Answer(200, {"realmMappings": realm} | ({"clientMappings": of_clients} if of_clients else {}))
        names = {role["name"] for role in body}
        if parts[0] == "clients":
            client = find(self.clients, parts[1])[0]
            self.granted[holder] = [name for name in held if name not in {f"{client}/{role}" for role in names}]
            return Answer(204)
        if not names <= set(self.roles):
            return Answer(404, {"error": "Role not found"})
        if method == "POST":
            realm_roles |= names
        else:
            realm_roles -= names
        return Answer(204)

    def listing_or_create(self, method: str, items: dict[str, Json], key: str, body: Any) -> Answer:
        if method == "GET":
            return Answer(200, list(items.values()))
        if body[key] in items:
            return Answer(409, {"errorMessage": f"{body[key]} already exists"})
        items[body[key]] = body | {"id": self.server.id()}
        for mapper in items[body[key]].get("protocolMappers", []):
            mapper["id"] = self.server.id()
        return Answer(201, location=items[body[key]]["id"])

    def on_groups(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        paths = {own: path for path, own in self.groups.items()}
        if parts and parts[0] not in paths:
            return Answer(404, {"error": "Could not find group by id"})
        above = paths[parts[0]] if parts else ""
        if parts[1:2] == ["role-mappings"]:
            return self.mappings(method, above, self.group_roles.setdefault(above, set()), parts[2:], body)
        if method == "DELETE":
            gone = {path for path in self.groups if path == above or path.startswith(f"{above}/")}
            for path in gone:
                del self.groups[path]
            for user in self.users.values():
                user["groups"] -= gone
            return Answer(204)
        if method == "POST":
            path = f"{above}/{body['name']}"
            if path in self.groups:
                return Answer(409, {"errorMessage": "Top level group or sibling exists"})
            self.groups[path] = self.server.id()
            return Answer(201, location=self.groups[path])
        children = [path for path in self.groups if re.fullmatch(re.escape(above) + "/[^/]+", path)]
        return Answer(200, [self.group(path) for path in children])

    def group(self, path: str) -> Json:
        below = [other for other in self.groups if re.fullmatch(re.escape(path) + "/[^/]+", other)]
        return {
            "id": self.groups[path],
            "name": path.rpartition("/")[2],
            "path": path,
            "subGroupCount": len(below),
            "subGroups": [],
            "realmRoles": sorted(self.group_roles.get(path, ())),
            "clientRoles": {client: [role] for client, role in (name.split("/") for name in self.granted.get(path, ()))},
        }

    def on_client_scopes(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        if not parts:
            return self.listing_or_create(method, self.scopes, "name", body)
        name, scope = find(self.scopes, parts[0])
        if parts[1:3] == ["protocol-mappers", "models"]:
            mappers = scope.setdefault("protocolMappers", [])
            if method == "POST":
                mappers.append(body | {"id": self.server.id()})
                return Answer(201, location=mappers[-1]["id"])
            scope["protocolMappers"] = [m for m in mappers if m["id"] != parts[3]]
            if method == "PUT":
                scope["protocolMappers"].append(body)
        elif method == "PUT":
            scope |= {k: v for k, v in body.items() if k != "protocolMappers"}
        elif method == "DELETE":
            del self.scopes[name]
        return Answer(204)

    def on_clients(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        if not parts:
            if method == "POST":
                return Answer(201, location=self.add_client(body))
            wanted = query.get("clientId")
            return Answer(200, [c for c in self.clients.values() if wanted in (None, c["clientId"])])
        name, client = find(self.clients, parts[0])
        if parts[1:3] == ["protocol-mappers", "models"]:
            client["protocolMappers"] = [mapper for mapper in client["protocolMappers"] if mapper["id"] != parts[3]]
        elif len(parts) == 3:
            field = "defaultClientScopes" if parts[1].startswith("default") else "optionalClientScopes"
            scope = find(self.scopes, parts[2])[0]
            names = set(client[field]) - {scope}
            client[field] = sorted(names | {scope} if method == "PUT" else names)
        elif method == "PUT":
            attributes = {k: v for k, v in (client["attributes"] | body.get("attributes", {})).items() if v}
            client |= {k: v for k, v in body.items() if not k.endswith("ClientScopes")} | {"attributes": attributes}
        elif method == "DELETE":
            del self.clients[name]
        return Answer(204)

    def on_users(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        if not parts:
            if method == "POST":
                return Answer(201, location=self.add_user(body, {f"default-roles-{self.fields['realm']}"}))
            # The real one answers "exact" by prefix-insensitive equality; a second user guards the module's own filter.
            return Answer(200, [self.user(u) for n, u in self.users.items() if query.get("username", "") in n])
        name, user = find(self.users, parts[0])
        what = parts[1] if len(parts) > 1 else ""
        if what == "role-mappings":
            return self.mappings(method, name, user["roles"], parts[2:], body)
        if what == "groups":
            if method == "GET":
                return Answer(200, [self.group(path) for path in sorted(user["groups"])])
            path = {own: path for path, own in self.groups.items()}[parts[2]]
            user["groups"] = user["groups"] | {path} if method == "PUT" else user["groups"] - {path}
        elif what == "credentials":
            stored = [{"id": "c", "type": "password", "createdDate": user["stored"]}] if user["stored"] else []
            return Answer(200, [{"id": "o", "type": "otp", "createdDate": 1}, *stored])
        elif what == "reset-password":
            self.set_password(user, body["value"])
        elif method == "GET":
            return Answer(200, self.user(user))
        elif method == "PUT":
            user["fields"] |= {k: v for k, v in body.items() if k != "id"}
        elif method == "DELETE":
            del self.users[name]
        return Answer(204)

    def user(self, user: Json) -> Json:
        return {"id": user["id"], **user["fields"]}

    def on_default_groups(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        paths = {own: path for path, own in self.groups.items()}
        left = [path for path in self.fields.pop("defaultGroups") if path != paths[parts[0]]]
        self.fields |= {"defaultGroups": left} if left else {}
        return Answer(204)

    def on_identity_provider(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        if method == "GET":
            return Answer(200, list(self.identity_providers.values()))
        del self.identity_providers[parts[1]]
        return Answer(204)

    def on_components(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        if method == "GET":
            return Answer(200, list(self.components.values()))
        del self.components[parts[0]]
        return Answer(204)

    def on_authentication(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        if parts[0] == "config":
            for steps in self.executions.values():
                for step in steps:
                    if step.get("authenticationConfig") == parts[1]:
                        del step["authenticationConfig"], step["alias"]
        elif parts[0] == "executions":
            for alias, steps in self.executions.items():
                self.executions[alias] = [step for step in steps if step["id"] != parts[1]]
        elif method == "DELETE":
            self.flows = {alias: flow for alias, flow in self.flows.items() if flow["id"] != parts[1]}
        elif parts[1:] == []:
            return Answer(200, list(self.flows.values()))
        elif method == "PUT":
            step = next(step for step in self.executions[parts[1]] if step["id"] == body["id"])
            step |= {"requirement": body["requirement"], "priority": body["priority"]}
        else:
            return Answer(200, copy.deepcopy(self.executions[parts[1]]))
        return Answer(204)

    def snapshot(self) -> Json:
        """Everything that matters, without ids and without the record of ownership."""
        fields = copy.deepcopy(self.fields)
        for key in ("parity.owned", "parity.passwords"):
            fields["attributes"].pop(key, None)
        every = {
            "fields": fields,
            "roles": without_ids(self.roles),
            "groups": sorted(self.groups),
            "scopes": without_ids(self.scopes),
            "clients": without_ids(self.clients),
            "users": {n: {k: v for k, v in u.items() if k not in ("id", "stored")} for n, u in self.users.items()},
            "granted": {holder: names for holder, names in self.granted.items() if names},
            "group_roles": {path: names for path, names in self.group_roles.items() if names},
            "composites": {role: names for role, names in self.composites.items() if names},
            "identity_providers": sorted(self.identity_providers),
            "components": sorted(c["name"] for c in self.components.values()),
            "flows": sorted(self.flows),
            "executions": {
                alias: [{k: v for k, v in step.items() if k not in ("id", "authenticationConfig")} for step in steps]
                for alias, steps in self.executions.items()
            },
        }
        plain: Json = json.loads(json.dumps(every, sort_keys=True, default=sorted))
        return plain


def find(items: dict[str, Json], own: str) -> tuple[str, Json]:
    for name, item in items.items():
        if item["id"] == own:
            return name, item
    raise Answer(404, {"error": "Could not find it"})


def without_ids(items: dict[str, Json]) -> Json:
    result = copy.deepcopy(items)
    for item in result.values():
        item.pop("id", None)
        for mapper in item.get("protocolMappers", []):
            mapper.pop("id", None)
        item.get("protocolMappers", []).sort(key=lambda mapper: mapper["name"])
    return result


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    keycloak: FakeKeycloak

    def answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
        as_form = "form" in (self.headers.get("content-type") or "")
        body = {k: v[0] for k, v in parse_qs(raw).items()} if as_form else json.loads(raw or "null")
        bearer = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        server = self.keycloak
        with server.lock:
            server.log.append((str(self.command), url.path))
            cut = server.cut_after is not None and len(server.log) > server.cut_after
            answer = server.answer_instead(str(self.command), url.path)
            # A request that breaks may have been carried out or not; later ones find nobody.
            if answer is None and (not cut or (server.cut_applied and len(server.log) == (server.cut_after or 0) + 1)):
                answer = server.handle(str(self.command), url.path, query, body, bearer)
        if cut or answer is None:
            self.close_connection = True
            return
        # A text is what an ingress says that has no Keycloak behind it.
        plain = isinstance(answer.body, str)
        payload = b"" if answer.body is None else (answer.body if plain else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        self.send_header("content-type", "text/plain; charset=utf-8" if plain else "application/json")
        self.send_header("content-length", str(len(payload)))
        if answer.location:
            self.send_header("location", f"http://{self.headers['host']}{url.path}/{answer.location}")
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read ``FakeKeycloak.log``."""


class Server:
    """Serves one FakeKeycloak on a free loopback port."""

    def __init__(self, keycloak: FakeKeycloak) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"keycloak": keycloak}))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
