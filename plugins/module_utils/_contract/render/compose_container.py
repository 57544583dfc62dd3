# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The container of a pod as a service of Compose: everything that its manifest says but what is mounted."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import dig
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import Pod, words
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.quantities import quantity
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_words import expanded, spelled

REPOSITORY = "gpuaas-parity"
_GRACE_SECONDS = 30  # of a pod that does not say otherwise
_MIB = 1024**2
_DEFAULT_SHARES = 1024  # of a container that says nothing
# What holds for every container.
ALWAYS: dict[str, Any] = {"pull_policy": "never", "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "2"}}}


def variables_of(pod: Pod, settings: Mapping[str, str]) -> dict[str, str]:
    """The variables of its container; ``settings`` are the component's."""
    found = dict(settings)
    for key, value in pod.literals.items():
        found[key] = expanded(value, found)
    return found


def container_of(pod: Pod, component: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """The service of compose.yml, without a health check, volumes and what it waits for.

    A Job is not tried again: what it needs stands when it starts.
    """
    container, variables = pod.container, variables_of(pod, settings)
    drop, add = (words(dig(container, "securityContext", "capabilities", key)) for key in ("drop", "add"))
    built = {
        "image": f"{REPOSITORY}/{container.get('image', component)}",
        "user": pod.user,
        "working_dir": container.get("workingDir"),
        "entrypoint": spelled(expanded(word, variables) for word in pod.command),
        "command": spelled(expanded(word, variables) for word in pod.args),
        "env_file": [f"{component}.env"] if container.get("envFrom") and settings else [],
        "environment": dict(zip(pod.literals, spelled(variables[key] for key in pod.literals), strict=True)),
        "read_only": bool(dig(container, "securityContext", "readOnlyRootFilesystem")),
        "cap_drop": drop,
        "cap_add": add,
        "security_opt": ["no-new-privileges:true"] if dig(container, "securityContext", "allowPrivilegeEscalation") is False else [],
        "mem_limit": _memory(dig(container, "resources", "limits", "memory")),
        "cpu_shares": shares(dig(container, "resources", "requests", "cpu")),
        "stop_grace_period": f"{pod.spec.get('terminationGracePeriodSeconds', _GRACE_SECONDS)}s",
        # As restartPolicy of a pod, which is Always but for a Job: also after the engine itself was restarted.
        "restart": "no" if pod.once else "unless-stopped",
    }
    return ALWAYS | {key: value for key, value in built.items() if value not in (None, [], {}, False)}


def shares(cpu: object) -> int | None:
    """A request of processor time as a weight: what the kubelet gives it, 1024 for a CPU, on top of Docker's default.

    The kubelet's alone is for pods of one node; beside any other container of the machine a project would starve with it.
    """
    found = quantity(cpu)
    return None if found is None else _DEFAULT_SHARES + int(found * 1024)


def size(amount: Fraction) -> str:
    """Bytes as Compose spells them: ``64k``, ``16m``, ``1g``."""
    for unit, bytes_ in (("g", 1024 * _MIB), ("m", _MIB), ("k", 1024)):
        if amount and amount % bytes_ == 0:
            return f"{int(amount / bytes_)}{unit}"
    return f"{int(amount)}b"


def _memory(limit: object) -> str | None:
    found = quantity(limit)
    return None if found is None else size(found)
