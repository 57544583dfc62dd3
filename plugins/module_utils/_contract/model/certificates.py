# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates of components: which names a mode puts into them, and which of them cannot be."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.placement import host_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.references import Scope
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.values import is_hostname


def secret_of(component: str, certificate: str) -> str:
    """The Secret that holds a component's certificate."""
    return f"{component}-{certificate}-tls"


def resolve_certificates(name: str, contract: Contract, mode: Mode, scope: Scope) -> dict[str, Any]:
    """The certificates of a component as contract.json has them: ``usage``, and a server's ``names``."""
    found: dict[str, Any] = {}
    for key, certificate in sorted(contract.services[name].certificates.items()):
        found[key] = {"usage": certificate.usage}
        if certificate.serves:
            where = contract.source.where("services", name, "certificates", key, "names")
            said = [scope.expand(text, where) for text in certificate.names]
            found[key]["names"] = list(dict.fromkeys(filter(None, [host_of(contract, mode, name), *said])))
    return found


def check_names(name: str, contract: Contract, mode: Mode, scope: Scope, problems: Problems) -> None:
    """Refuse names of a server that are no host names, or that the CA must not vouch for."""
    own = host_of(contract, mode, name)
    for key, certificate in contract.services[name].certificates.items():
        at = ("services", name, "certificates", key)
        if certificate.serves and not own and not certificate.names:
            problems.add(
                "CONTRACT_INVALID", contract.source.where(*at), f"has no names: {name} has no ports, so nobody reaches it by a host"
            )
        for index, text in enumerate(certificate.names):
            where = contract.source.where(*at, "names", index)
            host = scope.expand(text, where)
            if not is_hostname(host):
                problems.add("CONTRACT_TYPE", where, "must be a host name")
            # As a name constraint admits it (RFC 5280 4.2.1.10).
            elif not f".{host}".endswith(tuple(f".{parent}" for parent in (mode.domain, own) if parent)):
                problems.add(
                    "CONTRACT_INVALID", where, f"is neither below {mode.domain} nor a host of {name}, and the CA vouches for no other"
                )


def check_certificates(contract: Contract, problems: Problems) -> None:
    """Refuse names of a certificate that no server shows, and certificates that would lie in one place."""
    taken = {name: f"endpoint {name}" for name in contract.endpoints}
    for name, service in contract.services.items():
        for key, certificate in service.certificates.items():
            where = contract.source.where("services", name, "certificates", key)
            if certificate.names and not certificate.serves:
                problems.add("CONTRACT_INVALID", f"{where}.names", "a client's certificate names its component and no host")
            if key in contract.endpoints:
                problems.add("CONTRACT_INVALID", where, f"is the name of endpoint {key} too")
            other = taken.setdefault(f"{name}-{key}", f"certificate {key} of {name}")
            if other != f"certificate {key} of {name}":
                problems.add("CONTRACT_INVALID", where, f"its Secret {secret_of(name, key)} is that of {other} too")
