# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A component's pods and its exceptions -> services of compose.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.exceptions import Container, Exceptions, Files
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import read_text
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import WORKLOADS
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import Pod, pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_carried import not_carried
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_container import container_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_health import health, test_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_mounts import (
    Delivered,
    Group,
    Mounts,
    endpoint_files,
    mounts_of,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_words import spelled
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

LOOPBACK = "127.0.0.1"
_UNDERIVABLE = "COMPOSE_UNDERIVABLE"
_PUBLIC = "0444"


@dataclass(frozen=True)
class Part:
    """One service of compose.yml. ``once`` says that it is meant to end; ``waits`` names containers and components.

    ``keeper`` is the container whose data it has, where that is another one.
    """

    service: dict[str, Any]
    mounts: Mounts
    owner: str
    once: bool
    waits: tuple[str, ...]
    keeper: str = ""


@dataclass(frozen=True)
class Derived:
    """A component in Compose. ``service`` and ``endpoints`` are of the resolved contract, ``rendered`` what files of ``rendered/`` hold."""

    component: Component
    service: Mapping[str, Any]
    endpoints: Mapping[str, Any]
    rendered: Mapping[str, bytes]

    @property
    def name(self) -> str:
        """The component's name, and that of the service that is its workload."""
        return self.component.name

    @property
    def exceptions(self) -> Exceptions:
        """What its compose.yml says."""
        return self.component.exceptions

    @cached_property
    def pods(self) -> dict[str, Pod]:
        """Its workload and its Jobs."""
        return pods_of(self.component.base)

    def refuse(self) -> None:
        """Raise ParityError COMPOSE_UNDERIVABLE naming everything that its manifests say and Compose cannot do."""
        problems = Problems()
        for manifest in self.component.base.manifests:
            if manifest.pod_template and manifest.kind not in (*WORKLOADS, "Job"):
                problems.add(_UNDERIVABLE, manifest.where, "is of a kind that Compose has not")
        for pod in self.pods.values():
            for text in (*not_carried(pod, self.name), *(f"has {text}" for text in self.mounted(pod).unknown)):
                problems.add(_UNDERIVABLE, pod.where, text)
        main = self.pods.get(self.name)
        if main is None:
            problems.add(_UNDERIVABLE, self.component.label, f"no container in the workload {self.name}")
        elif not main.once and self._test(main) is None:
            problems.add(_UNDERIVABLE, main.where, "no command in its container can stand for its probe; say `health` in compose.yml")
        problems.refuse()

    def parts(self, others: Mapping[str, Derived], checkout: str) -> dict[str, Part]:
        """Its services by name, the workload first; ``others`` are all components, ``checkout`` leads to the checkout."""
        found = {self.name: self._workload(checkout)}
        for name, pod in self.pods.items():
            if name != self.name:
                after = self.exceptions.containers[name].after if name in self.exceptions.containers else []
                built, mounts = self._sourced(container_of(pod, self.name, self.service["settings"]), self.mounted(pod), checkout)
                found[name] = Part(built, mounts, pod.user, True, (*self.service["needs"], *after))
        for name, container in self.exceptions.containers.items():
            if name not in self.pods:
                found[name] = self._further(name, container, others, checkout)
        return found

    def _workload(self, checkout: str) -> Part:
        pod = self.pods[self.name]
        built, mounts = self._sourced(container_of(pod, self.name, self.service["settings"]), self.mounted(pod), checkout)
        if self.exceptions.source and self.exceptions.source.args:
            built["command"] = spelled(self.exceptions.source.args)
        test = None if pod.once else self._test(pod)
        if test:
            built["healthcheck"] = health(spelled(test), pod.container)
        if self.exceptions.publish:
            target = self.service["ports"][self.service["main_port"]]
            published = {"host_ip": LOOPBACK, "published": str(self.service["publish"]), "target": target, "protocol": "tcp"}
            built["ports"] = [published]
        after = {name: container.after for name, container in self.exceptions.containers.items()}
        jobs = [name for name in self.pods if name != self.name and self.name not in after.get(name, ())]
        waits = (*self.service["needs"], *jobs, *self.service.get("reset", {}).get("fill", ()))
        return Part(built, mounts, pod.user, pod.once, waits)

    def _further(self, name: str, container: Container, others: Mapping[str, Derived], checkout: str) -> Part:
        """A container that ends, as the workload of a component runs but for what the exception says."""
        of = others[container.of] if container.of else self
        pod = replace(of.pods[of.name], once=True)
        built, mounts = container_of(pod, of.name, of.service["settings"]), of.mounted(pod).for_another(container.shares)
        if lost := sorted(set(container.shares) - set(mounts.data)):
            raise ParityError(
                "CONTRACT_REFERENCE",
                f"{self.exceptions.where('containers', name, 'shares')}: {of.name} has no volume at {', '.join(lost)}",
                "name the mountPath of an emptyDir that is not in memory, or of a volume claim",
            )
        if of is self:
            built, mounts = self._sourced(built, mounts, checkout)
        if container.command:
            built["entrypoint"], built["command"] = spelled(container.command), []
        if container.args:
            built["command"] = spelled(container.args)
        waits = (*([container.of] if container.of else self.service["needs"]), *container.after)
        return Part(built, mounts, pod.user, True, waits, of.name)

    def _sourced(self, built: dict[str, Any], mounts: Mounts, checkout: str) -> tuple[dict[str, Any], Mounts]:
        """The same with the source that is mounted, if any is."""
        source = self.exceptions.source
        if source is None:
            return built, mounts
        if source.command:
            built = built | {"entrypoint": spelled(source.command)}
        variables = dict(zip(source.environment, spelled(source.environment.values()), strict=True))
        built = built | {"environment": built.get("environment", {}) | variables}
        return built | {"volumes": [bind(f"{checkout}/{source.folder}", source.at)]}, mounts

    def _test(self, pod: Pod) -> list[str] | None:
        return self.exceptions.health.test if self.exceptions.health else test_of(pod.container, self.service.get("ports", {}))

    def mounted(self, pod: Pod) -> Mounts:
        """What a pod mounts, and the files that the exceptions add to every container of the component."""
        groups = tuple(self._group(name, files, pod.user) for name, files in self.exceptions.files.items())
        return mounts_of(pod, self.component, self.service, self.endpoints).with_groups(groups)

    def _group(self, name: str, files: Files, owner: str) -> Group:
        found = [self._file(file, origin) for file, origin in sorted(files.files.items())]
        found += endpoint_files(self.endpoints) if files.of_endpoints else ()
        return Group(f"{self.name}-{name}", files.to, owner, tuple(found))

    def _file(self, name: str, origin: str) -> Delivered:
        kind, _separator, path = origin.partition("/")
        match kind:
            case "rendered" if path not in self.rendered:
                known = ", ".join(f"rendered/{one}" for one in self.rendered)
                raise ParityError("CONTRACT_REFERENCE", f"{self.exceptions.where('files')}: nothing renders {origin}; there is {known}")
            case "rendered":
                return Delivered(name, _PUBLIC, data=self.rendered[path])
            case _:
                return Delivered(name, _PUBLIC, data=read_text(self.component.folder / path, f"{self.component.label}/{path}").encode())


def bind(path: str, target: str) -> dict[str, Any]:
    """A file or folder of the host, read-only; one that is not there is an error, not a new folder."""
    return {"type": "bind", "source": path, "target": target, "read_only": True, "bind": {"create_host_path": False}}
