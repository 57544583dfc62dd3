# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A component's manifests: the bytes that are copied, and the objects that are in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model import strict_yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import dotted
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

NAME_LABEL = "app.kubernetes.io/name"
MANAGED_BY, OURS = "app.kubernetes.io/managed-by", "gpuaas.parity"
"""The label of every object that a rendering consists of."""
OF_KUBERNETES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
"""The namespaces that every cluster has."""
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
MAIN = (*WORKLOADS, "Job")
"""What the main object of a component can be."""
_KUSTOMIZATION = "kustomization.yaml"
_INVALID = "CONTRACT_MANIFEST_INVALID"


def dig(data: Any, *path: str | int) -> Any:
    """The value at ``path``, or None where there is nothing of that shape."""
    for part in path:
        if isinstance(data, dict) and isinstance(part, str):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def items(data: Any, *path: str | int) -> list[dict[str, Any]]:
    """The mappings of the list at ``path``; none where there is no list."""
    found = dig(data, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


@dataclass(frozen=True)
class Manifest:
    """One Kubernetes object. ``where`` names it in messages."""

    data: dict[str, Any]
    kind: str
    name: str
    namespace: str
    where: str

    @property
    def component(self) -> str:
        """The service it belongs to, by label app.kubernetes.io/name."""
        return str(dig(self.data, "metadata", "labels", NAME_LABEL) or "")

    @property
    def pod_template(self) -> dict[str, Any] | None:
        """The pod template of whatever makes pods; a bare Pod is its own."""
        match self.kind:
            case "Pod":
                found = self.data
            case "CronJob":
                found = dig(self.data, "spec", "jobTemplate", "spec", "template")
            case _:
                found = dig(self.data, "spec", "template")
        return found if isinstance(found, dict) and isinstance(found.get("spec"), dict) else None


@dataclass
class Base:
    """A Kustomize base: ``files`` by relative path, and the objects its ``resources`` list.

    ``generated`` holds ("ConfigMap" or "Secret", namespace, name) that it makes itself,
    with the file that each key is made from; None where it is not made from files alone.
    """

    files: dict[str, bytes]
    manifests: list[Manifest] = field(default_factory=list)
    generated: dict[tuple[str, str, str], dict[str, str] | None] = field(default_factory=dict)

    def of_kind(self, *kinds: str) -> list[Manifest]:
        """The objects of these kinds, in a stable order."""
        return sorted((m for m in self.manifests if m.kind in kinds), key=lambda m: (m.kind, m.namespace, m.name))

    def config_map(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """What a ConfigMap holds that is made of files or stands in the manifests; None where there is none."""
        files = self.generated.get(("ConfigMap", namespace, name))
        if files is not None:
            return {key: self.files[path] for key, path in files.items()}
        for manifest in self.of_kind("ConfigMap"):
            if (manifest.namespace, manifest.name) == (namespace, name):
                return {str(key): str(text).encode() for key, text in (manifest.data.get("data") or {}).items()}
        return None


def read_base(directory: Path, label: str) -> Base:
    """Read a directory of plain manifests; ``label`` is its name in messages.

    Without a kustomization.yaml every YAML file of the directory is a resource. Raises
    ParityError CONTRACT_MANIFEST_INVALID for what cannot be read, is listed but missing,
    or comes from outside the directory.
    """
    files = dict(_files(directory, label))
    if _KUSTOMIZATION not in files:
        files[_KUSTOMIZATION] = _listing(files)
    return parse_base(files, label)


def parse_base(files: dict[str, bytes], label: str) -> Base:
    """Manifests that are in memory, by relative path. Raises ParityError as ``read_base``."""
    base = Base(files)
    _collect(base, "", label, "", [])
    return base


def _listing(files: dict[str, bytes]) -> bytes:
    resources = [f"  - {name}\n" for name in sorted(files) if "/" not in name and name.endswith((".yaml", ".yml"))]
    head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:"
    return f"{head}\n{''.join(resources)}".encode() if resources else f"{head} []\n".encode()


def _files(directory: Path, label: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory)
        if any(part.startswith(".") or part.endswith("~") for part in relative.parts):
            continue
        if path.is_symlink():
            raise ParityError(_INVALID, f"{label}/{relative.as_posix()}: a symbolic link")
        if path.is_dir():
            continue
        try:
            yield relative.as_posix(), path.read_bytes()
        except OSError as error:
            raise ParityError(_INVALID, f"{label}/{relative.as_posix()}: {error.strerror}") from None


def _collect(base: Base, folder: str, label: str, namespace: str, trail: list[str]) -> None:
    """Follow ``resources`` of the kustomization in ``folder``, which is empty or ends with a slash."""
    file = folder + _KUSTOMIZATION
    if folder in trail:
        raise ParityError(_INVALID, f"{label}/{file}: lists itself")
    documents = _documents(base, file, label)
    data = documents[0].data if len(documents) == 1 else None
    if not isinstance(data, dict):
        raise ParityError(_INVALID, f"{label}/{file}: must be one mapping")
    namespace = namespace or str(data.get("namespace") or "")
    for kind, key in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        for item in items(data, key):
            made = _made_from(item, folder)
            if missing := sorted(set((made or {}).values()) - set(base.files)):
                raise ParityError(_INVALID, f"{label}/{missing[0]}: there is no such file in the directory")
            base.generated[kind, namespace or str(dig(item, "namespace") or ""), str(dig(item, "name"))] = made
    listed = data.get("resources") or []
    if not isinstance(listed, list):
        raise ParityError(_INVALID, f"{label}/{file}: resources: must be a list of files")
    for entry in listed:
        target = f"{folder}{entry}".removesuffix("/")
        if f"{target}/{_KUSTOMIZATION}" in base.files:
            _collect(base, f"{target}/", label, namespace, [*trail, folder])
            continue
        for document in _documents(base, target, label):
            base.manifests += _manifests(document.data, f"{label}/{target}", namespace)


def _made_from(item: Any, folder: str) -> dict[str, str] | None:
    """Key -> file of a generator, whose entries are ``file`` or ``key=file``."""
    if {"envs", "env", "literals"} & set(item):
        return None
    found = {}
    files = item.get("files")
    for entry in files if isinstance(files, list) else ():
        key, said, path = str(entry).rpartition("=")
        found[key if said else path.rpartition("/")[2]] = f"{folder}{path}"
    return found


def _documents(base: Base, file: str, label: str) -> list[strict_yaml.Document]:
    if file not in base.files:
        raise ParityError(_INVALID, f"{label}/{file}: there is no such file in the directory")
    try:
        return list(strict_yaml.load_all(base.files[file].decode(), aliases=True))
    except UnicodeDecodeError:
        raise ParityError(_INVALID, f"{label}/{file}: not UTF-8") from None
    except strict_yaml.YamlProblem as problem:
        reason = "CONTRACT_DUPLICATE_KEY" if problem.kind == "duplicate" else _INVALID
        where = f"{label}/{file}: {dotted(problem.path) or 'the document'} (line {problem.line})"
        raise ParityError(reason, f"{where}: {problem.text}") from None


def _manifests(data: Any, where: str, namespace: str) -> Iterator[Manifest]:
    if data is None:
        return
    kind, name = dig(data, "kind"), dig(data, "metadata", "name")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(dig(data, "items"), list):
        for item in data["items"]:
            yield from _manifests(item, where, namespace)
        return
    if not isinstance(kind, str) or not isinstance(name, str) or not isinstance(dig(data, "apiVersion"), str):
        raise ParityError(_INVALID, f"{where}: an object without apiVersion, kind and metadata.name")
    own = str(dig(data, "metadata", "namespace") or "")
    yield Manifest(data, kind, name, namespace or own, f"{where}: {kind} {name}")
