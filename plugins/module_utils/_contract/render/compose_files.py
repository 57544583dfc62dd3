# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Compose rendering holds beside compose.yml: settings, and routes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.ingress_paths import IngressPath
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml

HEADER = "# Rendered from the platform's folder by gpuaas.parity; changes here are lost.\n"
CERTIFICATES = "/run/secrets/gpuaas"
# Values that mean themselves in an env file (the dotenv syntax of docs.docker.com/compose/environment-variables).
_PLAIN = re.compile(r"[A-Za-z0-9_./:@,+=-]*")


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


def routes(
    endpoints: Mapping[str, dict[str, Any]], services: Mapping[str, dict[str, Any]], paths: Mapping[str, Sequence[IngressPath]]
) -> bytes:
    """Traefik's dynamic configuration: what the Ingress object of each endpoint says, whose ``paths`` these are. Without one, no route."""
    served = {name: endpoint for name, endpoint in sorted(endpoints.items()) if paths.get(name)}
    return as_yaml(
        {
            "http": {
                "routers": {
                    name: {"entryPoints": ["websecure"], "rule": _rule(endpoint["host"], paths[name]), "service": name, "tls": {}}
                    for name, endpoint in served.items()
                },
                "services": {
                    name: {"loadBalancer": {"servers": [{"url": f"http://{service['host']}:{service['ports'][service['main_port']]}"}]}}
                    for name, service in ((name, services[endpoint["service"]]) for name, endpoint in served.items())
                },
            },
            "tls": {
                "certificates": [
                    {"certFile": f"{CERTIFICATES}/{name}.crt", "keyFile": f"{CERTIFICATES}/{name}.key"} for name in sorted(endpoints)
                ]
            },
        }
    )


def _rule(host: str, paths: Sequence[IngressPath]) -> str:
    return f"Host(`{host}`) && ({' || '.join(path.matcher for path in paths)})"
