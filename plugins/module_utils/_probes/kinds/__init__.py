# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of checks: a dataclass each, whose fields are the arguments in checks.yml."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.ca_published import CaPublished
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.configuration import Configuration
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.container import Container
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.container_ca import ContainerCa
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.container_configuration import ContainerConfiguration
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.container_images import ContainerImages
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.container_names import ContainerNames
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.dns import Dns
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.dns_cluster import DnsCluster
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.http import Http
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.image_digest import ImageDigest
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.job import Job
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.loopback_only import LoopbackOnly
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.network_policy import NetworkPolicy
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.oidc_discovery import OidcDiscovery
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.oidc_login import OidcLogin
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.pod_security import PodSecurity
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.private_files import PrivateFiles
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.process_configuration import ProcessConfiguration
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.published_ports import PublishedPorts
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.store_postgres import StorePostgres
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.store_redis import StoreRedis
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.tcp import Tcp
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.tls import Tls
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.token_refused import TokenRefused
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.workload import Workload
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import EVERYWHERE, Kind

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
