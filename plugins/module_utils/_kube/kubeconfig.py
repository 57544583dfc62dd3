# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's own kubeconfig: where the API server is and with what certificate one may talk to it.

Only the file that is named is read, never KUBECONFIG, contexts of the user or in-cluster
credentials; and only a server on loopback is accepted. So a wrong file cannot make this
collection touch somebody else's cluster.
"""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import loopback_address

ABSENT = "{up}"
REPAIR = "{up} writes it again; {status} shows what stands"


def _named(document: dict[str, Any], section: str, name: object, body: str) -> dict[str, Any]:
    for entry in document.get(section) or []:
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(body), dict):
            found: dict[str, Any] = entry[body]
            return found
    raise ValueError(f"{section} has no entry {name!r}")


def _pem(entry: dict[str, Any], key: str) -> bytes:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} is missing")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(f"{key} is not base64") from error


@dataclass(frozen=True)
class Kubeconfig:
    """Server URL, its CA and the client's certificate and key (PEM); the key is never shown."""

    server: str
    cluster: str
    ca: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @classmethod
    def load(cls, path: str | Path) -> Kubeconfig:
        """Read the current context of one kubeconfig file.

        Raises ParityError ``CLUSTER_ABSENT`` (no file), ``KUBECONFIG_INVALID`` or ``KUBECONFIG_NOT_LOCAL``.
        """
        file = Path(path)
        try:
            document = _yaml.load(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ParityError("CLUSTER_ABSENT", f"no kubeconfig at {file}", ABSENT) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ParityError("KUBECONFIG_INVALID", f"{file}: {error}", REPAIR) from error
        except yaml.YAMLError:
            # The parser's message quotes the text, and the text holds a key.
            raise ParityError("KUBECONFIG_INVALID", f"{file} is not YAML", REPAIR) from None
        try:
            return cls.parse(document)
        except ValueError as error:
            raise ParityError("KUBECONFIG_INVALID", f"{file}: {error}", REPAIR) from error

    @classmethod
    def parse(cls, document: object) -> Kubeconfig:
        """Read a kubeconfig document.

        Raises ValueError when it is incomplete, ParityError ``KUBECONFIG_NOT_LOCAL`` when it points away.
        """
        document = document if isinstance(document, dict) else {}
        context = _named(document, "contexts", document.get("current-context"), "context")
        cluster = _named(document, "clusters", context.get("cluster"), "cluster")
        server = str(cluster.get("server") or "")
        parts = urlsplit(server)
        try:
            loopback_address(parts.hostname or "")
        except ValueError:
            raise ParityError("KUBECONFIG_NOT_LOCAL", f"the kubeconfig's server is {server or 'empty'}", REPAIR) from None
        if parts.scheme != "https":
            raise ParityError("KUBECONFIG_NOT_LOCAL", f"the kubeconfig's server {server} is not https", REPAIR)
        user = _named(document, "users", context.get("user"), "user")
        return cls(
            server=server,
            cluster=str(context.get("cluster")),
            ca=_pem(cluster, "certificate-authority-data"),
            certificate=_pem(user, "client-certificate-data"),
            key=_pem(user, "client-key-data"),
        )

    def tls_context(self) -> ssl.SSLContext:
        """A client context that trusts the cluster's CA alone and presents the client certificate.

        Raises ParityError ``KUBECONFIG_INVALID`` when certificate, key or CA cannot be used.
        """
        try:
            context = ssl.create_default_context(cadata=self.ca.decode("ascii"))
            # ssl loads keys from files only; these live for one call, in a 0700 directory.
            with tempfile.TemporaryDirectory(prefix="gpuaas-parity-") as directory:
                pair = Path(directory) / "client.pem"
                pair.touch(mode=0o600)
                pair.write_bytes(self.certificate.rstrip() + b"\n" + self.key)
                context.load_cert_chain(pair)
        except (ssl.SSLError, UnicodeDecodeError) as error:
            raise ParityError("KUBECONFIG_INVALID", f"its certificates cannot be used: {type(error).__name__}", REPAIR) from None
        return context
