# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a container runs, in the same words whether a pod or a Compose service says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.exceptions import Container, Exceptions
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import dig, items
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import Pod
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.quantities import quantity
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_container import REPOSITORY, shares, size, variables_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_health import probe_of, test_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_words import expanded, read

Facts = dict[str, Any]
"""Command, arguments, user, memory, processor, grace, probe, mounted paths and variables of one container."""

_FILES, _DISK, _MEMORY, _SOURCE = "files", "disk", "memory", "source"
_SHM = "/dev/shm"  # noqa: S108
# What a service of compose.yml may have; more of it would be of meaning.
_KNOWN = frozenset(
    {"image", "entrypoint", "command", "user", "mem_limit", "cpu_shares", "stop_grace_period", "read_only", "cap_drop", "cap_add"}
    | {"tmpfs", "shm_size", "volumes", "environment", "env_file", "healthcheck", "working_dir", "security_opt", "restart"}
    | {"pull_policy", "profiles", "depends_on", "ports", "networks", "logging"}
)


def of_pod(pod: Pod, settings: Mapping[str, str], ports: Mapping[str, int]) -> Facts:
    """What a manifest says; ``settings`` and ``ports`` are the component's."""
    variables = variables_of(pod, settings)
    limit = quantity(dig(pod.container, "resources", "limits", "memory"))
    ready = {} if pod.once else {"ready": test_of(pod.container, ports) or probe_of(pod.container)}
    return _said(
        {
            "image": pod.container.get("image"),
            "command": [expanded(word, variables) for word in pod.command],
            "args": [expanded(word, variables) for word in pod.args],
            "directory": pod.container.get("workingDir"),
            "user": pod.user,
            "memory": None if limit is None else size(limit),
            "processor": shares(dig(pod.container, "resources", "requests", "cpu")),
            "grace": f"{pod.spec.get('terminationGracePeriodSeconds', 30)}s",
            "read_only": dig(pod.container, "securityContext", "readOnlyRootFilesystem"),
            "capabilities": dig(pod.container, "securityContext", "capabilities"),
            "mounts": dict(_pod_mounts(pod)),
            "environment": {key: variables[key] for key in pod.literals},
            "settings": [str(dig(item, "configMapRef", "name")) for item in items(pod.container, "envFrom")],
            **ready,
        }
    )


def of_service(service: Mapping[str, Any]) -> Facts:
    """What a service of compose.yml says."""
    test = dig(service, "healthcheck", "test")
    return _said(
        {
            "image": str(service.get("image", "")).removeprefix(f"{REPOSITORY}/"),
            "command": _words(service.get("entrypoint")),
            "args": _words(service.get("command")),
            "directory": service.get("working_dir"),
            "user": service.get("user"),
            "memory": service.get("mem_limit"),
            "processor": service.get("cpu_shares"),
            "grace": service.get("stop_grace_period"),
            "read_only": service.get("read_only"),
            "capabilities": _said({key: service.get(f"cap_{key}") for key in ("drop", "add")}),
            "mounts": dict(_service_mounts(service)),
            "environment": container_variables(service),
            "settings": [f"{file.removesuffix('.env')}-config" for file in _words(service.get("env_file"))],
            "ready": _words(test)[1:] if _words(test)[:1] == ["CMD"] else _words(test),
            "also": sorted(set(service) - _KNOWN),
        }
    )


def container_variables(service: Mapping[str, Any]) -> dict[str, str]:
    """The ``environment`` of a service of compose.yml, a mapping or a list."""
    own = service.get("environment")
    if isinstance(own, list):
        own = dict(str(line).partition("=")[::2] for line in own)
    return {str(key): read(value) for key, value in own.items()} if isinstance(own, dict) else {}


def excepted(facts: Facts, exceptions: Exceptions, *, main: bool) -> Facts:
    """``facts`` of a pod in Compose: with what the component's exceptions say; ``main`` is its workload."""
    mounts = facts.get("mounts", {}) | {files.to: _FILES for files in exceptions.files.values()}
    found = facts | {"mounts": mounts}
    if main and exceptions.health:
        found["ready"] = exceptions.health.test
    if source := exceptions.source:
        found["mounts"] = mounts | {source.at: _SOURCE}
        found |= {"command": source.command} if source.command else {}
        found |= {"args": source.args} if main and source.args else {}
        found["environment"] = facts.get("environment", {}) | source.environment
    return _said(found)


def further(main: Facts, container: Container) -> Facts:
    """A container that only Compose runs, as the workload with facts ``main`` does but for what the exception says."""
    found = {key: value for key, value in main.items() if key != "ready"}
    found["mounts"] = {path: what for path, what in main.get("mounts", {}).items() if what != _DISK or path in container.shares}
    if container.command:
        found |= {"command": container.command, "args": []}
    return _said(found | ({"args": container.args} if container.args else {}))


def _said(facts: Facts) -> Facts:
    return {key: value for key, value in facts.items() if value not in (None, [], {}, False)}


def _words(words: Any) -> list[str]:
    return [read(word) for word in ([words] if isinstance(words, str) else words if isinstance(words, list) else [])]


def _pod_mounts(pod: Pod) -> Iterator[tuple[str, str]]:
    volumes = {str(volume.get("name")): volume for volume in items(pod.spec, "volumes")}
    for mount in items(pod.container, "volumeMounts"):
        # One that the pod does not have is made of a volumeClaimTemplate.
        match volumes.get(str(mount.get("name")), {"persistentVolumeClaim": {}}):
            case {"emptyDir": {"medium": "Memory"} as memory}:
                limit = quantity(memory.get("sizeLimit"))
                what = f"{_MEMORY} {size(limit)}" if limit else _MEMORY
            case {"emptyDir": _} | {"persistentVolumeClaim": _}:
                what = _DISK
            case {"configMap": _} | {"secret": _} | {"projected": _}:
                what = _FILES
            case other:
                what = ", ".join(sorted(set(other) - {"name"}))
        yield str(mount.get("mountPath")), what


def _service_mounts(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for line in _words(service.get("tmpfs")):
        path, _separator, options = str(line).partition(":")
        limit = dict(option.partition("=")[::2] for option in options.split(",")).get("size", "")
        yield path, f"{_MEMORY} {limit}".strip()
    if "shm_size" in service:
        yield _SHM, f"{_MEMORY} {service['shm_size']}"
    for mount in items(service, "volumes"):
        kind, writable = dig(mount, "type"), not dig(mount, "read_only")
        yield str(dig(mount, "target")), _SOURCE if kind == "bind" else _DISK if writable else _FILES
