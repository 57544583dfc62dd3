# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who keeps the secrets of components that ask a server for them, and what each of these is to that server.

Which components ask is found, as readers of secrets are: a setting of theirs says where secrets come from. Each has a
folder of its own there, and a machine identity that reads that folder and no other. The identity's secret is one
of the platform's: derived, so that there is nothing more to keep.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path

CLIENT_SECRET = "client_secret"  # noqa: S105
"""What of a folder of the keeper is not one of the component's secrets: what it logs in with."""
_SCHEME = "infisical+https"
_WHOLE = "${secrets_source}"


def own_source(component: str) -> str:
    """The reference to where a component's secrets are."""
    return f"${{services.{component}.secrets_source}}"


def source_of(component: str, source: str) -> str:
    """Where a component's secrets are, given the mode's source: the same directory, or a folder of its own on a server."""
    return f"{_WHOLE}/{component}" if urlsplit(source).scheme == _SCHEME else _WHOLE


def server_of(source: str) -> str:
    """The URL of the server that a source of secrets leads to; empty for files."""
    url = urlsplit(source)
    return f"https://{url.netloc}" if url.scheme == _SCHEME else ""


def identity_secret(component: str) -> str:
    """The name of the secret of a component's machine identity."""
    return f"identity_{component.replace('-', '_')}"


def kept_as(component: str, key: str) -> str:
    """The key under which the keeper has a secret of a component; neither name has a dot."""
    return f"{component}.{key}"


def keep_secrets(
    services: dict[str, dict[str, Any]], secrets: dict[str, Any], parts: dict[Path, tuple[Source, Path]], problems: Problems
) -> None:
    """Mark who asks, and give who keeps secrets those of all that ask, in the lanes that have both.

    A secret of some security modes alone is a root key in a file, and not among them.
    """
    asking = [
        name
        for name, service in sorted(services.items())
        if any(setting["value"] in (_WHOLE, own_source(name)) for setting in service["settings"].values())
    ]
    for name in asking:
        services[name]["asks"] = True
    keeper, *more = [name for name, service in services.items() if "keeps_secrets" in service] or [""]
    for other in more:
        problems.add("CONTRACT_INVALID", parts["services", other][0].where("keeps_secrets"), f"{keeper} keeps secrets already")
    if not keeper:
        return
    file = parts["services", keeper][0]
    for name in asking:
        services[name]["keeper"] = keeper
        identity = identity_secret(name)
        if identity in secrets:
            problems.add("CONTRACT_INVALID", file.where("keeps_secrets"), f"the secret {identity} is defined already")
        kept = {key: entry["secret"] for key, entry in services[name]["secrets"].items() if "security" not in entry}
        secrets[identity] = {
            "type": "password",
            "derived_from": services[keeper]["keeps_secrets"]["identities"],
            "means": f"Machine identity of {name}, where {keeper} has its secrets",
        }
        parts["secrets", identity] = (file, ("keeps_secrets",))
        for key, secret in {**kept, CLIENT_SECRET: identity}.items():
            services[keeper]["secrets"][kept_as(name, key)] = {"secret": secret, "shared_by": name}
            parts["services", keeper, "secrets", kept_as(name, key)] = (file, ("keeps_secrets",))
