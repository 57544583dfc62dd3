# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of checks: a dataclass each, whose fields are the arguments in checks.yml."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import CheckType
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.ca_published import CaPublished
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.cached_read import CachedRead
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.configuration import Configuration
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.dns import Dns
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.drift import Drift
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.exec import Exec
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.http import Http
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.idempotent_write import IdempotentWrite
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.images_pinned import ImagesPinned
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.job import Job
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.loopback_only import LoopbackOnly
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.names_inside import NamesInside
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.network_policy import NetworkPolicy
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.nodes import Nodes
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.oidc_discovery import OidcDiscovery
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.oidc_login import OidcLogin
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.paths import Paths
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.pod_security import PodSecurity
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.private_files import PrivateFiles
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.process_configuration import ProcessConfiguration
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.realm import Realm
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.secrets_provider import SecretsProvider
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.security_mode import SecurityMode
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.tcp import Tcp
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.tls import Tls
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.tls_strict import TlsStrict
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.token_refused import TokenRefused
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.workload import Workload

TYPES: dict[str, type[CheckType]] = {
    "ca_published": CaPublished,
    "cached_read": CachedRead,
    "configuration": Configuration,
    "dns": Dns,
    "drift": Drift,
    "exec": Exec,
    "http": Http,
    "idempotent_write": IdempotentWrite,
    "images_pinned": ImagesPinned,
    "job": Job,
    "loopback_only": LoopbackOnly,
    "names_inside": NamesInside,
    "network_policy": NetworkPolicy,
    "nodes": Nodes,
    "oidc_discovery": OidcDiscovery,
    "oidc_login": OidcLogin,
    "paths": Paths,
    "pod_security": PodSecurity,
    "private_files": PrivateFiles,
    "process_configuration": ProcessConfiguration,
    "realm": Realm,
    "secrets_provider": SecretsProvider,
    "security_mode": SecurityMode,
    "tcp": Tcp,
    "tls": Tls,
    "tls_strict": TlsStrict,
    "token_refused": TokenRefused,
    "workload": Workload,
}
