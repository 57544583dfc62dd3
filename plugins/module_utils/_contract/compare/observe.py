# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rendered tree gives to services: the variables of their environment, and which secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.runs import Facts, container_variables, of_pod, of_service
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model import strict_yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Base, parse_base
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_container import variables_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_deliverer import DELIVERER
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.identity import identity_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import Tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

COMPOSE_FILE = "compose.yml"
_HANDED = "files/deliver.list"
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Observed:
    """A tree as its readers see it. A service that is not deployed from the tree has no ``received``.

    ``runs`` says of every container by name how it runs.
    """

    contract: dict[str, Any]
    realm: Any
    received: dict[str, dict[str, str]]
    secrets: dict[str, set[str]]
    runs: dict[str, Facts]


def observe(tree: Tree) -> Observed:
    """Read a tree as a deployment would. Whatever is not there is absent from the result, never an error."""
    contract = _json(tree.get("contract.json"))
    contract = contract if isinstance(contract, dict) else {}
    services = contract.get("services")
    services = services if isinstance(services, dict) else {}
    received: dict[str, dict[str, str]] = {}
    secrets: dict[str, set[str]] = {}
    runs: dict[str, Facts] = {}
    if COMPOSE_FILE in tree:
        project = _yaml(tree[COMPOSE_FILE])
        handed = _handed(tree.get(_HANDED, b"").decode(errors="replace"))
        for name in services:
            container = _dig(project, "services", name)
            if isinstance(container, dict):
                received[name] = _of_container(container, tree)
                secrets[name] = handed.get(_delivery(name, services[name]), set())
        runs = dict(_of_project(project, str(contract.get("lane"))))
    else:
        for name, service in services.items():
            role = str(_dig(service, "role"))
            overlay = _yaml(tree.get(f"{role}/kustomization.yaml"))
            if not isinstance(overlay, dict) or "provided_by" in service:
                continue
            base = _base(tree, f"{role}/base/{name}/")
            received[name] = _of_pod(name, role, overlay, base, tree)
            for pod in pods_of(base).values():
                runs[pod.name] = of_pod(pod, received[name], _ports(service))
            if "secretGenerator" in overlay:
                keys = _generated(overlay, "secretGenerator", _delivery(name, service), "files")
                secrets[name] = {str(key).partition("=")[0] for key in keys}
    return Observed(contract, _json(tree.get("realm.json")), received, secrets, runs)


def _delivery(name: str, service: Any) -> str:
    """What a component is handed: its secrets, or in their place its identity."""
    return identity_of(name) if _dig(service, "identity") else f"{name}-secrets"


def _of_project(project: Any, lane: str) -> Iterator[tuple[str, Facts]]:
    """The services of a lane, but for the one that hands out files."""
    services = _dig(project, "services")
    for name, service in services.items() if isinstance(services, dict) else ():
        if name != DELIVERER and isinstance(service, dict) and lane in (service.get("profiles") or [lane]):
            yield name, of_service(service)


def _ports(service: Any) -> dict[str, int]:
    found = _dig(service, "ports")
    return found if isinstance(found, dict) else {}


def _of_pod(name: str, role: str, overlay: dict[str, Any], base: Base, tree: Tree) -> dict[str, str]:
    """What Kubernetes gives the main container: its ConfigMap, then what its manifest says itself."""
    found: dict[str, str] = {}
    for file in _generated(overlay, "configMapGenerator", f"{name}-config", "envs"):
        lines = tree.get(f"{role}/{file}", b"").decode(errors="replace").split("\n")
        found |= dict(line.partition("=")[::2] for line in lines if line)
    pod = pods_of(base).get(name)
    return variables_of(pod, found) if pod else found


def _base(tree: Tree, folder: str) -> Base:
    """The manifests in a folder of the tree; none of them where one cannot be read."""
    files = {path.removeprefix(folder): data for path, data in tree.items() if path.startswith(folder)}
    try:
        return parse_base(files, folder)
    except ParityError:
        return Base(files)


def _of_container(container: dict[str, Any], tree: Tree) -> dict[str, str]:
    """What Docker Compose gives a container: its env files in order, then its own ``environment``."""
    found: dict[str, str] = {}
    files = container.get("env_file") or []
    for file in [files] if isinstance(files, str) else files:
        found |= _dotenv(tree.get(file["path"] if isinstance(file, dict) else file, b"").decode(errors="replace"))
    return found | container_variables(container)


def pod_variables(base: Base, name: str) -> dict[str, str]:
    """What the manifests of a component state themselves for its workload."""
    pod = pods_of(base).get(name)
    return pod.literals if pod else {}


def _handed(text: str) -> dict[str, set[str]]:
    """The files that are put into each volume of a Compose project: the last word of a line is /to/<volume>/<file>."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        volume, _separator, file = line.rpartition(" ")[2].removeprefix("/to/").partition("/")
        found.setdefault(volume, set()).add(file)
    return found


def _generated(overlay: dict[str, Any], generator: str, name: str, key: str) -> list[Any]:
    found = overlay.get(generator) or []
    return [entry for item in found if _dig(item, "name") == name for entry in item.get(key) or []]


def _dotenv(text: str) -> dict[str, str]:
    """An env file as Compose reads it: single quotes keep, double quotes know a backslash."""
    found = {}
    for line in text.split("\n"):
        key, said, value = line.partition("=")
        if not said or line.startswith("#"):
            continue
        if len(value) > 1 and value[0] == value[-1] == "'":
            value = value[1:-1]
        elif len(value) > 1 and value[0] == value[-1] == '"':
            value = _ESCAPED.sub(r"\1", value[1:-1])
        found[key] = value
    return found


def _json(data: bytes | None) -> Any:
    try:
        return json.loads(data or b"null")
    except ValueError:
        return None


def _yaml(data: bytes | None) -> Any:
    try:
        return strict_yaml.load((data or b"").decode(errors="replace")).data
    except (strict_yaml.YamlProblem, UnicodeDecodeError):
        return None


def _dig(data: Any, *path: str) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data
