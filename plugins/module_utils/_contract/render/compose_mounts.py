# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pod mounts, as Compose has it: memory, volumes for data, and volumes that files are delivered to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.certificates import secret_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import dig, items
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import Pod
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.quantities import quantity
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.check_manifests import CA_CONFIG_MAP
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_container import size
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.identity import AT, CLIENT, identity_of, is_secrets

_SHM = "/dev/shm"  # noqa: S108
_TLS = ("tls.crt", "tls.key")
_PRIVATE, _PUBLIC = "0400", "0444"


@dataclass(frozen=True)
class Delivered:
    """A file for a container: its ``data``, or where it lies below the state directory."""

    name: str
    mode: str
    state: str = ""
    data: bytes = b""


@dataclass(frozen=True)
class Group:
    """Files in one directory ``to``, handed over in a volume; ``owner`` is uid:gid."""

    volume: str
    to: str
    owner: str
    files: tuple[Delivered, ...]


@dataclass(frozen=True)
class Mounts:
    """``memory`` and ``data`` map paths to sizes and to volumes. ``unknown`` is what Compose cannot mount."""

    memory: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    unknown: tuple[str, ...] = ()

    def service(self, owner: str) -> dict[str, Any]:
        """``tmpfs``, ``shm_size`` and ``volumes`` of a service of compose.yml, whose user is ``owner``."""
        uid, _separator, gid = owner.partition(":")
        tmpfs = [f"{path}:size={limit},mode=0700,uid={uid},gid={gid}" for path, limit in self.memory.items() if path != _SHM]
        # An emptyDir begins empty, whatever the image has at its path.
        volumes: list[dict[str, Any]] = [
            {"type": "volume", "source": name, "target": path, "volume": {"nocopy": True}} for path, name in self.data.items()
        ]
        volumes += [{"type": "volume", "source": group.volume, "target": group.to, "read_only": True} for group in self.groups]
        return {"tmpfs": tmpfs, "shm_size": self.memory.get(_SHM), "volumes": volumes}

    def for_another(self, shares: Sequence[str]) -> Mounts:
        """The same for another container, with the data at the paths that it ``shares``: two servers on one data directory destroy it."""
        return replace(self, data={path: name for path, name in self.data.items() if path in shares})

    def with_groups(self, groups: tuple[Group, ...]) -> Mounts:
        """``groups`` in place of whatever is mounted at their paths."""
        taken = {group.to for group in groups}
        return replace(
            self,
            memory={path: limit for path, limit in self.memory.items() if path not in taken},
            data={path: name for path, name in self.data.items() if path not in taken},
            groups=(*(group for group in self.groups if group.to not in taken), *groups),
        )


def mounts_of(pod: Pod, component: Component, service: Mapping[str, Any], endpoints: Mapping[str, Any]) -> Mounts:
    """Read the volumes of a pod; ``service`` and ``endpoints`` are of the resolved contract."""
    found = Mounts()
    claimed = {str(dig(item, "metadata", "name")) for item in items(pod.manifest.data, "spec", "volumeClaimTemplates")}
    volumes = {str(volume.get("name")): volume for volume in items(pod.spec, "volumes")}
    for mount in items(pod.container, "volumeMounts"):
        name, path = str(mount.get("name")), str(mount.get("mountPath"))
        volume = volumes.get(name, {})
        if "identity" in service and is_secrets(volume, component.name):
            found = replace(found, groups=(*found.groups, _identity(pod, component.name)))
            continue
        match volume:
            case _ if name in claimed or "persistentVolumeClaim" in volume:
                found.data[path] = f"{pod.name}-{name}"
            case {"emptyDir": {"medium": "Memory"} as memory}:
                if limit := quantity(memory.get("sizeLimit")):
                    found.memory[path] = size(limit)
                else:
                    found = replace(found, unknown=(*found.unknown, f"volume {name}: has no sizeLimit"))
            case {"emptyDir": _}:
                found.data[path] = f"{pod.name}-{name}"
            case _:
                files = _files(volume, pod, component, service, endpoints)
                if files is None:
                    found = replace(found, unknown=(*found.unknown, f"volume {name}"))
                else:
                    rest = _object(volume).removeprefix(f"{component.name}-").removeprefix("gpuaas-")
                    found = replace(found, groups=(*found.groups, Group(f"{component.name}-{rest}", path, pod.user, tuple(files))))
    return found


def _identity(pod: Pod, component: str) -> Group:
    """What a component that asks a server for its secrets logs in with, in the place of these."""
    files = (Delivered(file, _PRIVATE, state=f"secrets/files/{component}/{made_of}") for file, made_of in sorted(CLIENT.items()))
    return Group(identity_of(component), AT, pod.user, tuple(files))


def _object(volume: Mapping[str, Any]) -> str:
    """The ConfigMap or Secret that a volume holds."""
    return str(dig(volume, "configMap", "name") or dig(volume, "secret", "secretName") or "")


def _files(
    volume: Mapping[str, Any], pod: Pod, component: Component, service: Mapping[str, Any], endpoints: Mapping[str, Any]
) -> list[Delivered] | None:
    """The files of a volume; None for one that Compose has not."""
    name, source = _object(volume), volume.get("configMap") or volume.get("secret")
    if not isinstance(source, dict):
        return None
    if "configMap" in volume:
        said = source.get("defaultMode", 0o644)
        mode = f"{(said if isinstance(said, int) else 0) & 0o555:04o}"
        if name == CA_CONFIG_MAP:
            return _chosen(source, {"ca.crt": Delivered("ca.crt", mode, state="tls/ca.crt")})
        held = component.base.config_map(pod.manifest.namespace, name)
        return None if held is None else _chosen(source, {key: Delivered(key, mode, data=data) for key, data in held.items()})
    if name == f"{component.name}-secrets":
        files = {key: Delivered(key, _PRIVATE, state=f"secrets/files/{component.name}/{key}") for key in service["secrets"]}
        return _chosen(source, files)
    for key in service.get("certificates", ()):
        if name == secret_of(component.name, key):
            own = {file: Delivered(file, _PRIVATE, state=f"tls/{component.name}-{key}/{file}") for file in _TLS}
            return _chosen(source, own | {"ca.crt": Delivered("ca.crt", _PUBLIC, state="tls/ca.crt")})
    endpoint = name.removesuffix("-tls")
    if name.endswith("-tls") and endpoint in endpoints:
        return _chosen(source, {key: Delivered(key, _PRIVATE, state=f"tls/{endpoint}/{key}") for key in _TLS})
    return None


def _chosen(source: Mapping[str, Any], files: Mapping[str, Delivered]) -> list[Delivered] | None:
    """All of ``files``, or the keys that the volume's ``items`` pick, under the names that they give; None for names in folders."""
    chosen = items(source, "items")
    picked = {str(item.get("key")): str(item.get("path")) for item in chosen} if chosen else {key: key for key in files}
    if any("/" in name for name in picked.values()):
        return None
    return [replace(files[key], name=name) for key, name in sorted(picked.items()) if key in files]


def endpoint_files(endpoints: Mapping[str, Any]) -> Iterator[Delivered]:
    """Certificate and key of every endpoint, as ``<endpoint>.crt`` and ``<endpoint>.key``."""
    for endpoint in sorted(endpoints):
        for ending in ("crt", "key"):
            yield Delivered(f"{endpoint}.{ending}", _PRIVATE, state=f"tls/{endpoint}/tls.{ending}")
