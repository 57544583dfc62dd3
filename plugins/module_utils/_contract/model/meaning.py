# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a compose.yml may not say: how a component runs is its manifest's to say, in every mode."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import dig
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.misplaced import Misplaced
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import Pod
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path

_REASON = "COMPOSE_CHANGES_MEANING"
# How Kubernetes and Compose call what decides how a process runs.
_RUNS = frozenset(
    {"command", "args", "entrypoint", "working_dir", "workingDir", "image", "user", "runAsUser", "runAsGroup", "securityContext"}
    | {"env", "environment", "env_file", "envFrom", "settings", "secrets"}
    | {"memory", "mem_limit", "mem_reservation", "memswap_limit", "cpus", "cpu_shares", "resources", "deploy", "ulimits", "sysctls"}
    | {"volumes", "volumeMounts", "tmpfs", "shm_size", "read_only", "cap_add", "cap_drop", "privileged", "security_opt"}
    | {"restart", "stop_signal", "stop_grace_period", "terminationGracePeriodSeconds", "lifecycle", "init", "pid", "network_mode"}
)
_WITH_A_VALUE = frozenset({"env", "environment", "settings", "secrets"})
_NOT_SHOWN = re.compile(r"pass|secret|token|key|auth", re.IGNORECASE)


def in_compose(data: Any, component: str, pods: Mapping[str, Pod], settings: Collection[str]) -> Misplaced:
    """Every place of a compose.yml that changes what the component means, with the flags that do.

    ``pods`` are the manifest's, ``settings`` the names of those that the contract gives.
    """
    known = {word for pod in pods.values() for text in (*pod.command, *pod.args) for word in text.split()}
    for path, value in _places(data, (), component, pods):
        told = ", ".join(_flags(value, known, hidden=path[-1] in _WITH_A_VALUE))
        yield _REASON, path, f"says {told or 'how it runs'}, which only the manifest may"
    source = dig(data, "source")
    main = pods.get(component)
    if main and isinstance(source, dict):
        yield from _source(source, main, pods, settings)


def _places(value: Any, path: Path, component: str, pods: Mapping[str, Pod]) -> Iterator[tuple[Path, Any]]:
    """Every key that says how something runs, where no exception may."""
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        inner = (*path, str(key))
        match inner:
            case ("files" | "health", *_) | ("source", "command" | "args" | "environment"):
                continue
            case ("containers", name) if name == component:
                yield inner, item
            case ("containers", name, "command" | "args") if name not in pods:
                continue
            case _ if key in _RUNS:
                yield inner, item
            case _:
                yield from _places(item, inner, component, pods)


def _source(source: dict[str, Any], main: Pod, pods: Mapping[str, Pod], settings: Collection[str]) -> Misplaced:
    """What may come with mounted source: arguments after the manifest's, an entry point for the image's, variables of its own."""
    args = source.get("args")
    if isinstance(args, list) and args[: len(main.args)] != main.args:
        yield _REASON, ("source", "args"), f"must begin with the manifest's: {' '.join(main.args)}"
    stated = [pod.where for pod in pods.values() if pod.command]
    if source.get("command") and stated:
        yield _REASON, ("source", "command"), f"replaces the command of {', '.join(stated)}"
    given = {*settings, *(key for pod in pods.values() for key in pod.literals)}
    environment = source.get("environment")
    for key in environment if isinstance(environment, dict) else ():
        if key in given:
            yield _REASON, ("source", "environment", key), "is the contract's or the manifest's to say"


def _flags(value: Any, known: Collection[str], *, hidden: bool) -> Iterator[str]:
    """The words that the manifest does not have, each with the option that it is the value of. Of a variable only its name is shown."""
    before = ""
    for word in _words(value, hidden=hidden):
        option = before if before.startswith("-") and "=" not in before and not word.startswith("-") else ""
        name = word.partition("=")[0]
        if word.replace("$$", "$") not in known and not _NOT_SHOWN.search(option):
            shown = name if _NOT_SHOWN.search(name) else word
            yield f"{option} {shown}" if option in known else shown
        before = word


def _words(value: Any, *, hidden: bool) -> Iterator[str]:
    match value:
        case {"name": str() as name, **_others} if hidden:
            yield name
        case dict():
            for key, item in value.items():
                if hidden:
                    yield str(key)
                else:
                    yield from _words(item, hidden=key in _WITH_A_VALUE)
        case list():
            for item in value:
                yield from _words(item, hidden=hidden)
        case _ if hidden:
            yield str(value).partition("=")[0]
        case _:
            yield from str(value).split()
