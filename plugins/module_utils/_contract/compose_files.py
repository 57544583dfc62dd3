# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Compose rendering holds beside compose.yml: settings, routes, and who gets which file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compose_fragments import Fragment
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml

HEADER = "# Rendered from contract/ by gpuaas.parity; changes here are lost.\n"
SECRETS_DIR = "/run/secrets/gpuaas"
# Values that mean themselves in an env file (the dotenv syntax of docs.docker.com/compose/environment-variables).
_PLAIN = re.compile(r"[A-Za-z0-9_./:@,+=-]*")
_PRIVATE, _PUBLIC = "0400", "0444"


class Dumper(yaml.SafeDumper):
    """Lists indented, text of several lines as a block, nothing by reference."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


Dumper.add_representer(str, _text)


def as_yaml(document: Any) -> bytes:
    """The document in the order it was made in, under a line that says where it comes from."""
    return (HEADER + yaml.dump(document, Dumper=Dumper, sort_keys=False, width=1000, allow_unicode=True)).encode()


def env_file(settings: Mapping[str, str]) -> bytes:
    """An env file that Compose reads back as exactly ``settings``: no value is interpolated."""
    return "".join(f"{key}={_quoted(value)}\n" for key, value in sorted(settings.items())).encode()


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'([\\"$])', r"\\\1", value) + '"'


def routes(endpoints: Mapping[str, dict[str, Any]], services: Mapping[str, dict[str, Any]]) -> bytes:
    """Traefik's dynamic configuration: what an Ingress object of each endpoint would say."""
    return as_yaml(
        {
            "http": {
                "routers": {
                    name: {"entryPoints": ["websecure"], "rule": f"Host(`{endpoint['host']}`)", "service": name, "tls": {}}
                    for name, endpoint in sorted(endpoints.items())
                },
                "services": {
                    name: {"loadBalancer": {"servers": [{"url": f"http://{service['host']}:{service['port']}"}]}}
                    for name, service in ((name, services[endpoint["service"]]) for name, endpoint in sorted(endpoints.items()))
                },
            },
            "tls": {
                "certificates": [
                    {"certFile": f"{SECRETS_DIR}/{name}.crt", "keyFile": f"{SECRETS_DIR}/{name}.key"} for name in sorted(endpoints)
                ]
            },
        }
    )


@dataclass(frozen=True)
class Delivery:
    """One file of a service: from ``origin`` (state/..., roles/... or rendered/...) to ``name`` in volume ``volume``."""

    volume: str
    name: str
    origin: str
    owner: str
    mode: str

    @property
    def line(self) -> str:
        """The line of deliver.list."""
        return f"{self.owner} {self.mode} {_mounted(self.origin)} /to/{self.volume}/{self.name}\n"


@dataclass(frozen=True)
class Mount:
    """A volume in memory that holds files of one service, at path ``at`` of its containers."""

    volume: str
    at: str


def mounts(fragment: Fragment, service: dict[str, Any]) -> list[Mount]:
    """The volumes that the containers of a service read files from."""
    found = [Mount(f"{fragment.service}-{name}", group.to) for name, group in fragment.groups.items()]
    if service["secrets"]:
        found.append(Mount(f"{fragment.service}-secrets", SECRETS_DIR))
    return found


def deliveries(fragment: Fragment, service: dict[str, Any], endpoints: Mapping[str, Any]) -> Iterator[Delivery]:
    """Every file of a service. A certificate's key is as private as a secret; the other files of a group hold nothing secret."""
    name, owner = fragment.service, fragment.owner
    for group_name, group in fragment.groups.items():
        volume = f"{name}-{group_name}"
        for file, origin in sorted(group.files.items()):
            yield Delivery(volume, file, origin, owner, _PUBLIC)
        for endpoint in sorted(endpoints) if group.of_endpoints else ():
            for ending in ("crt", "key"):
                yield Delivery(volume, f"{endpoint}.{ending}", f"state/tls/{endpoint}/tls.{ending}", owner, _PRIVATE)
    for key in sorted(service["secrets"]):
        yield Delivery(f"{name}-secrets", key, f"state/secrets/files/{name}/{key}", owner, _PRIVATE)


def _mounted(origin: str) -> str:
    """Where the container ``secrets`` finds an origin: files of roles and of the rendering lie together."""
    kind, _separator, path = origin.partition("/")
    return f"/from/state/{path}" if kind == "state" else f"/from/files/{path.rsplit('/', 1)[-1]}"
