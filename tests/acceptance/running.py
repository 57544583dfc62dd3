"""The running platform, as its own tools and files show it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.secret_forms import forms
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.entries import opened
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.hidden import parts
from ansible_collections.gpuaas.parity.tests.superuser import psql
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[2]
# A shorter form of a value would be found in ordinary words.
SHORTEST_FORM = 6

Object = dict[str, Any]


@dataclass(frozen=True)
class Running:
    """One platform and the machine it runs on."""

    host: Host = field(repr=False)
    state_dir: Path
    contract: Object = field(repr=False)

    @classmethod
    def load(cls, host: Host) -> Running:
        """The platform of this checkout, or of ``PARITY_STATE_DIR``; ``FileNotFoundError`` when it is not up."""
        state_dir = Path(os.environ.get("PARITY_STATE_DIR") or ROOT / ".parity" / "kind")
        return cls(host, state_dir, json.loads((state_dir / "rendered" / "contract.json").read_text(encoding="utf-8")))

    @cached_property
    def node(self) -> str:
        """Name of the node's container."""
        return f"{json.loads((self.state_dir / 'cluster.json').read_text())['name']}-control-plane"

    @cached_property
    def pinned(self) -> dict[str, Object]:
        """The pinned images: name -> reference and digest."""
        return dict(json.loads((self.state_dir / "images" / "images.json").read_text())["images"])

    @cached_property
    def namespaces(self) -> set[str]:
        """The platform's own namespaces."""
        return {service["namespace"] for service in self.contract["services"].values()} - {"kube-system"}

    @cached_property
    def secret_forms(self) -> dict[str, set[str]]:
        """Each secret's name -> every spelling of its value that must not turn up."""
        found = opened(yaml.safe_load((self.state_dir / "secrets" / "secrets.yml").read_text(encoding="utf-8")))
        return {
            name: {form for text in parts(value) for form in forms(text) if len(form) >= SHORTEST_FORM}
            for name, value in found.values.items()
        }

    def leaks(self, text: str) -> list[str]:
        """Names, never values, of the secrets that ``text`` holds."""
        return sorted(name for name, found in self.secret_forms.items() if any(form in text for form in found))

    @property
    def kubectl_program(self) -> str:
        """kubectl with the run's own kubeconfig, as the beginning of a command."""
        return shlex.join([str(Path(sys.executable).parent / "kubectl"), f"--kubeconfig={self.state_dir / 'kubeconfig'}"])

    def kubectl(self, *argv: str) -> Object:
        """What kubectl prints as JSON."""
        return dict(json.loads(self.host.check_output(f"{self.kubectl_program} {shlex.join(argv)} --output=json")))

    def sql(self, statement: str) -> str:
        """What a statement of Postgres' superuser prints."""
        argv = ["exec", "--namespace=gpuaas-data", "statefulset/postgres", "--", *psql(statement)]
        return str(self.host.check_output(f"{self.kubectl_program} {shlex.join(argv)}"))

    def objects(self, *resources: str) -> list[Object]:
        """All objects of some resources, in all namespaces."""
        return list(self.kubectl("get", ",".join(resources), "--all-namespaces")["items"])

    @cached_property
    def pods(self) -> list[Object]:
        """The pods of the platform's own namespaces."""
        return [pod for pod in self.objects("pods") if pod["metadata"]["namespace"] in self.namespaces]

    def on_node(self, command: str) -> str:
        """What a shell command prints inside the node."""
        return str(self.host.run("docker exec %s sh -c %s", self.node, command).stdout)


def name_of(item: Object) -> str:
    """An object as ``kind namespace/name``."""
    return f"{item['kind']} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


def containers(pod: Object) -> list[Object]:
    """All containers of a pod, those that run first included."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
