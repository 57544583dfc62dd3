# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a component runs in Docker Compose: one plain fragment, compose.yml of its folder.

A fragment is what Compose understands, and four keys that it does not:

- ``x-files``: groups of files that every container of the fragment reads, each group
  a volume. A file is ``<name>: <origin>``, an origin begins with ``state/`` (the state
  directory), ``component/`` (a file of the component's folder, copied into the rendering) or ``rendered/``
  (what the rendering makes). A group ``of_endpoints`` holds every endpoint's certificate and key.
- ``x-data``: where the service keeps its data, which the mode places in a volume.
- ``x-source`` of a container: what else holds for it where the mode mounts the
  package's source: ``at`` which path, and Compose keys that replace others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model import strict_yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import dotted
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_INVALID = "CONTRACT_MANIFEST_INVALID"
_KEYS = {"services", "x-files", "x-data"}
_GROUP_KEYS = {"to", "files", "of_endpoints"}
ORIGINS = ("state", "component", "rendered")


@dataclass(frozen=True)
class Group:
    """Files that lie in one directory ``to`` of a container: name -> origin."""

    to: str
    files: dict[str, str]
    of_endpoints: bool


@dataclass(frozen=True)
class Fragment:
    """The containers of one service, the main one under the service's own name. ``label`` names the file."""

    service: str
    label: str
    containers: dict[str, dict[str, Any]]
    groups: dict[str, Group]
    data: str

    @property
    def main(self) -> dict[str, Any]:
        """The container that is the service."""
        return self.containers[self.service]

    @property
    def owner(self) -> str:
        """uid:gid that the service runs as; its files belong to it."""
        return str(self.main["user"])


def read_fragment(path: Path, service: str) -> Fragment:
    """The fragment of ``service``.

    Raises ParityError: CONTRACT_MANIFEST_MISMATCH where there is none,
    CONTRACT_MANIFEST_INVALID or CONTRACT_DUPLICATE_KEY for one that cannot be used.
    """
    label = f"{path.parent.name}/{path.name}"
    try:
        documents = list(strict_yaml.load_all(path.read_text(encoding="utf-8"), aliases=True))
    except FileNotFoundError:
        raise ParityError("CONTRACT_MANIFEST_MISMATCH", f"{label}: there is no such file, and the contract has service {service}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ParityError(_INVALID, f"{label}: {error}") from None
    except strict_yaml.YamlProblem as problem:
        reason = "CONTRACT_DUPLICATE_KEY" if problem.kind == "duplicate" else _INVALID
        where = dotted(problem.path) or "the document"
        raise ParityError(reason, f"{label}: {where} (line {problem.line}): {problem.text}") from None
    data = _check(documents[0].data if len(documents) == 1 else None, service, label)
    groups = {
        name: Group(group["to"], dict(group.get("files") or {}), bool(group.get("of_endpoints")))
        for name, group in (data.get("x-files") or {}).items()
    }
    return Fragment(service, label, data["services"], groups, str(data.get("x-data") or ""))


def _check(data: Any, service: str, label: str) -> dict[str, Any]:
    """``data`` when it is a fragment of ``service``. Raises ParityError CONTRACT_MANIFEST_INVALID."""
    if not isinstance(data, dict) or not isinstance(data.get("services"), dict) or set(data) - _KEYS:
        raise ParityError(_INVALID, f"{label}: must be a mapping of {', '.join(sorted(_KEYS))}")
    if service not in data["services"]:
        raise ParityError(_INVALID, f"{label}: services has no {service}")
    for name, container in data["services"].items():
        if not isinstance(container, dict) or not isinstance(container.get("user"), str):
            raise ParityError(_INVALID, f"{label}: services.{name}: must be a mapping that names its user, quoted")
    for name, group in (data.get("x-files") or {}).items():
        if not isinstance(group, dict) or set(group) - _GROUP_KEYS or not str(group.get("to", "")).startswith("/"):
            keys = ", ".join(sorted(_GROUP_KEYS))
            raise ParityError(_INVALID, f"{label}: x-files.{name}: must be a mapping of {keys}, to being an absolute path")
        for file, origin in (group.get("files") or {}).items():
            parts = str(origin).split("/")
            if "/" in file or parts[0] not in ORIGINS or len(parts) < 2 or {"", ".", ".."} & set(parts):
                wanted = ", ".join(f"{one}/..." for one in ORIGINS)
                raise ParityError(_INVALID, f"{label}: x-files.{name}.files.{file}: must lead to {wanted}")
    return dict(data)
