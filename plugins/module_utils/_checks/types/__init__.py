# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of checks: a dataclass each, whose fields are the arguments in checks.yml."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import EVERYWHERE, Kind
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.ca_published import CaPublished
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.configuration import Configuration
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.container import Container
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.container_ca import ContainerCa
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.container_configuration import ContainerConfiguration
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.container_images import ContainerImages
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.container_names import ContainerNames
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.dns import Dns
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.dns_cluster import DnsCluster
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.http import Http
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.image_digest import ImageDigest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.job import Job
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.loopback_only import LoopbackOnly
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.network_policy import NetworkPolicy
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.oidc_discovery import OidcDiscovery
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.oidc_login import OidcLogin
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.pod_security import PodSecurity
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.private_files import PrivateFiles
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.process_configuration import ProcessConfiguration
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.published_ports import PublishedPorts
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.store_postgres import StorePostgres
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.store_redis import StoreRedis
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.tcp import Tcp
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.tls import Tls
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.token_refused import TokenRefused
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.workload import Workload

KINDS: dict[str, type[Kind]] = {
    "ca_published": CaPublished,
    "configuration": Configuration,
    "container": Container,
    "container_ca": ContainerCa,
    "container_configuration": ContainerConfiguration,
    "container_images": ContainerImages,
    "container_names": ContainerNames,
    "dns": Dns,
    "dns_cluster": DnsCluster,
    "http": Http,
    "image_digest": ImageDigest,
    "job": Job,
    "loopback_only": LoopbackOnly,
    "network_policy": NetworkPolicy,
    "oidc_discovery": OidcDiscovery,
    "oidc_login": OidcLogin,
    "pod_security": PodSecurity,
    "private_files": PrivateFiles,
    "process_configuration": ProcessConfiguration,
    "published_ports": PublishedPorts,
    "store_postgres": StorePostgres,
    "store_redis": StoreRedis,
    "tcp": Tcp,
    "tls": Tls,
    "token_refused": TokenRefused,
    "workload": Workload,
}


def targets_of(kind: str) -> frozenset[str]:
    """The targets that a kind serves; all, where its class does not say otherwise."""
    found: frozenset[str] = getattr(KINDS[kind], "targets", EVERYWHERE)
    return found
