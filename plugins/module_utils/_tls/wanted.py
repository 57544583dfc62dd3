# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificates a resolved contract asks for, and what its CA must be allowed to sign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._tls.certificates import Profile, Scope, endpoint


def profiles(contract: dict[str, Any]) -> dict[str, Profile]:
    """The certificates by the name of their directory: ``<endpoint>``, or ``<component>-<certificate>``."""
    found = {name: endpoint(item["host"]) for name, item in contract["endpoints"].items()}
    for component, key, item in _of_components(contract):
        # The form of a SPIFFE ID (SPIFFE-ID 2): trust domain and path.
        identity = f"spiffe://{contract['domain']}/{component}" if item["usage"] != "server" else ""
        found[f"{component}-{key}"] = Profile(component, tuple(item.get("names", ())), identity)
    return found


def scope(contract: dict[str, Any]) -> Scope:
    """The domain, the hosts outside of it, and clients only where there are any: the CA can do no more than is needed."""
    domain = contract["domain"]
    items = [item for _component, _key, item in _of_components(contract)]
    names = {name for item in items for name in item.get("names", ()) if not f".{name}".endswith(f".{domain}")}
    return Scope(domain, tuple(sorted(names)), any(item["usage"] != "server" for item in items))


def _of_components(contract: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for component, service in contract["services"].items():
        # What the surroundings provide brings its own certificates.
        if "provided_by" not in service:
            for key, item in service.get("certificates", {}).items():
                yield component, key, item
