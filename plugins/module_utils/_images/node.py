# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images inside a kind node: baked into its image, or loaded into one that runs.

An image is known to the node by the digest of its manifest, as
``gpuaas.localhost/<name>@sha256:…``: nothing can be pulled from such a name, so
what runs is what was loaded.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.archive import thin
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import PATIENT, run, tail
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import ProcessName, process_name

REGISTRY = "gpuaas.localhost"
LABEL = "gpuaas.parity.image."
# "true" where the image leaves the network of pods to kind's own CNI, as upstream's does.
DEFAULT_CNI = "gpuaas.parity.default-cni"
_CTR = ["ctr", "--namespace", "k8s.io"]
_BAKE = "gpuaas-parity-bake"
# Names the process that bakes, so that a pid that is used again is not mistaken for it.
_BAKER = "gpuaas.parity.baker"

# Renames what was imported and prints the digest of each: argument triples of
# (imported reference, name, name the node itself uses or "-").
_ADOPT = """
set -eu
while [ $# -gt 0 ]; do
  digest=$(ctr -n k8s.io images ls "name==$1" | awk 'NR==2 {print $3}')
  [ -n "$digest" ] || { echo "not imported: $1" >&2; exit 1; }
  target=$3
  [ "$target" != - ] || target="$4/$2@$digest"
  ctr -n k8s.io images tag --force "$1" "$target" >/dev/null
  ctr -n k8s.io images rm "$1" >/dev/null
  echo "$2 $digest"
  shift 4
done
"""


# The containerd of a bake keeps its root on a volume: overlay file systems
# cannot be made on the container's own.
_START = """
cp -a /var/lib/containerd /bake/containerd 2>/dev/null || mkdir -p /bake/containerd
echo $$ >/run/parity.pid
exec containerd --root /bake/containerd >/run/parity.log 2>&1
"""
_AWAIT = """
until ctr version >/dev/null 2>&1; do
  [ ! -s /run/parity.pid ] || kill -0 $(cat /run/parity.pid) || { cat /run/parity.log >&2; exit 1; }
  sleep 0.1
done
"""
# Unpacks each image whose layers delete nothing of the layers below them: what an
# overlay file system notes of a deletion cannot be carried by an image layer. An
# opaque folder that no layer below has deletes nothing. Images with deletions, or
# with compressed layers, are unpacked by the node at first start, and named here.
_UNPACK = r"""
set -eu
blobs=/bake/containerd/io.containerd.content.v1.content/blobs/sha256
below=/run/parity.below listed=/run/parity.listed names=/run/parity.names opaque=/run/parity.opaque
deletes() {
  : > $below
  for layer in $(jq -r '.layers[] | .digest[7:] + (if .mediaType | test("gzip|zstd") then ".compressed" else "" end)' "$blobs/$1"); do
    tar --list --file "$blobs/$layer" > $listed || return 0
    sed 's#^[.]/##' $listed > $names
    ! grep '\(^\|/\)[.]wh[.]' $names | grep -qv '[.]wh[.][.]wh[.][.]opq$' || return 0
    sed -n 's#[.]wh[.][.]wh[.][.]opq$##p' $names > $opaque
    ! grep -qxFf $opaque $below || return 0
    cat $names >> $below
  done
  return 1
}
for digest in "$@"; do
  if deletes "${digest#sha256:}" 2>/dev/null; then echo "$digest"; else ctr -n k8s.io snapshots unpack "$digest" >/dev/null; fi
done
"""
# A clean stop, so that containerd's database is whole in the image. Then layers
# and blobs move out of /var, which kind copies to a volume at every create, to
# a place of the image itself: links stand in for them, and nothing is copied.
_SETTLE = """
set -eu
kill $(cat /run/parity.pid) && while kill -0 $(cat /run/parity.pid) 2>/dev/null; do sleep 0.1; done
store=/kind/images
settle() {
  mkdir -p "$2"
  cd "$1"
  for entry in *; do
    [ -e "$entry" ] && [ ! -L "$entry" ] || continue
    cp -a "$entry" "$2/$entry"
    rm -rf "$entry"
    ln -s "$2/$entry" "$entry"
  done
}
mkdir -p /bake/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots
settle /bake/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots $store/snapshots
settle /bake/containerd/io.containerd.content.v1.content/blobs/sha256 $store/blobs
rm -rf /var/lib/containerd
cp -a /bake/containerd /var/lib/containerd
"""


@dataclass(frozen=True)
class Loadable:
    """An image of the engine (``tag``) that a node shall hold as ``name``."""

    name: str
    tag: str
    key: str
    node_as: str = ""


@dataclass(frozen=True)
class Baked:
    """What a node holds of one image: the content key it was built under, and its manifest digest."""

    key: str
    digest: str


@dataclass(frozen=True)
class Labelled:
    """An image or a container of the engine; ``image`` is what a container was made from, as it was named."""

    id: str
    image: str
    labels: dict[str, str]


def inspect(subject: str, kind: str = "image") -> Labelled | None:
    """What the engine knows of an image or container, or None when it does not exist.

    Raises what `Docker.objects` does: an engine that cannot answer has not said that there is none.
    """
    found = Docker().objects(kind, [subject])
    if not found:
        return None
    config = found[0].get("Config") or {}
    return Labelled(str(found[0]["Id"]), config.get("Image") or "", config.get("Labels") or {})


def baked(labels: Mapping[str, str]) -> dict[str, Baked]:
    """What the labels of a node image, or of a container of it, say about the images within."""
    found = {}
    for label, value in labels.items():
        if label.startswith(LABEL):
            key, _separator, digest = value.partition("@")
            found[label.removeprefix(LABEL)] = Baked(key, digest)
    return found


def load(container: str, images: Sequence[Loadable]) -> dict[str, Baked]:
    """Send ``images`` to the running node ``container``, less the layers that it has.

    Raises ParityError ``IMAGE_LOAD_FAILED`` with what containerd said.
    """
    if not images:
        return {}
    present = set(run(["docker", "exec", container, *_CTR, "content", "ls", "--quiet"], timeout=PATIENT).stdout.split())
    save = ["docker", "save", *(image.tag for image in images)]
    receive = ["docker", "exec", "--interactive", container, *_CTR, "images", "import", "--no-unpack", "-"]
    # ansible-test wants AnsibleModule.run_command, which only a module on a target has.
    # pylint: disable-next=ansible-bad-function
    with subprocess.Popen(save, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as source:
        # pylint: disable-next=ansible-bad-function
        with subprocess.Popen(receive, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as target:
            # Either end may give up; what it then says is the message below.
            with contextlib.suppress(BrokenPipeError, tarfile.TarError):
                thin(cast(IO[bytes], source.stdout), cast(IO[bytes], target.stdin), present)
            with contextlib.suppress(BrokenPipeError):
                cast(IO[bytes], target.stdin).close()
            said = cast(IO[bytes], target.stderr).read().decode(errors="replace")
        problem = cast(IO[bytes], source.stderr).read().decode(errors="replace")
    if source.returncode or target.returncode:
        raise ParityError("IMAGE_LOAD_FAILED", f"{container}: {tail(problem + said)}")
    arguments: list[str] = []
    for image in images:
        arguments += [f"docker.io/{image.tag}", image.name, image.node_as or "-", REGISTRY]
    adopted = run(["docker", "exec", container, "sh", "-c", _ADOPT, "adopt", *arguments], timeout=PATIENT)
    digests = dict(line.split() for line in adopted.stdout.splitlines())
    return {image.name: Baked(image.key, digests[image.name]) for image in images}


# kind could set both as well, and would restart containerd for it at each create.
# Without CAP_SYS_RESOURCE no process can lower its oom_score_adj, and no pod would
# start. It is no loss where there is that capability: containerd's own is the lowest.
# On cgroup v1 runc's systemd driver freezes a container to set its limits, and on a
# busy machine gives up: now and then a pod did not start. The kubelet follows containerd.
# kind applies the file of storage at each create, upstream's is a provisioner: it runs as root, mounts the node's disk
# through pods as powerful, and no component claims anything of it. kind wants an object there, so it gets a class.
_CONFIGURE = """
set -eu
cd /etc/containerd
sed -i 's/^\\( *restrict_oom_score_adj\\) *=.*/\\1 = true/' config.toml
grep -q '^ *restrict_oom_score_adj = true$' config.toml || {
  echo 'config.toml of containerd does not name restrict_oom_score_adj' >&2
  exit 1
}
mkdir -p /etc/systemd/system/containerd.service.d
cat > /etc/systemd/system/containerd.service.d/cgroup-v1.conf <<'UNIT'
[Service]
ExecStartPre=/bin/sh -c 'test -e /sys/fs/cgroup/cgroup.controllers || sed -i /SystemdCgroup/s/true/false/ /etc/containerd/config.toml'
UNIT
mkdir -p /kind/manifests
cat > /kind/manifests/default-storage.yaml <<'MANIFEST'
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
MANIFEST
"""
# Whether the image brings a network configuration, containerd's 10-*.conflist.
_HAS_CNI = "ls /etc/cni/net.d/*.conflist >/dev/null 2>&1"
RECIPE = "\n".join((_ADOPT, _START, _CONFIGURE, _HAS_CNI, _UNPACK, _SETTLE))
"""All that a baked image depends on besides its parent and the images within."""


def bake(parent: str, tag: str, images: Sequence[Loadable], labels: Mapping[str, str]) -> list[str]:
    """Make node image ``tag``: ``parent`` with ``images`` in its containerd, and ``labels`` besides.

    Returns the names of images that a node has to unpack itself, seconds of each first start.
    """
    with _containerd(parent) as container:
        held = load(container, images)
        run(["docker", "exec", container, "sh", "-c", _CONFIGURE], timeout=PATIENT)
        has_cni = run(["docker", "exec", container, "sh", "-c", _HAS_CNI], timeout=PATIENT, check=False).rc == 0
        digests = {image.digest for image in held.values()}
        packed = run(["docker", "exec", container, "sh", "-c", _UNPACK, "unpack", *sorted(digests)], timeout=PATIENT).stdout.split()
        run(["docker", "exec", container, "sh", "-c", _SETTLE], timeout=PATIENT)
        recorded = {LABEL + name: f"{image.key}@{image.digest}" for name, image in held.items()}
        everything = {**labels, DEFAULT_CNI: "false" if has_cni else "true", **recorded}
        changes = [f"LABEL {name}={value}" for name, value in everything.items()]
        changes.append('ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]')
        arguments = [part for change in changes for part in ("--change", change)]
        run(["docker", "commit", *arguments, container, tag], timeout=PATIENT)
    return sorted(name for name, image in held.items() if image.digest in packed)


@contextmanager
def _containerd(parent: str) -> Iterator[str]:
    """A throw-away container of ``parent`` with containerd answering in it."""
    _sweep()
    name = f"{_BAKE}-{os.getpid()}"
    labels = ["--label", "gpuaas.parity=bake", "--label", f"{_BAKER}={_spelled(process_name(os.getpid()))}"]
    options = ["--detach", "--privileged", "--name", name, "--network", "none", *labels, "--tmpfs", "/run", "--volume", "/bake"]
    try:
        run(["docker", "run", *options, "--entrypoint", "sleep", parent, "infinity"], timeout=PATIENT)
        run(["docker", "exec", "--detach", name, "sh", "-c", _START], timeout=PATIENT)
        run(["docker", "exec", name, "sh", "-c", _AWAIT], timeout=PATIENT)
        yield name
    finally:
        _remove(name)


def _sweep() -> None:
    """Remove the containers of bakes whose process was killed: nobody else ever does, and they are privileged.

    A commit keeps the labels of its container, so every node that is made of the image has them too: those are no bakes.
    """
    docker = Docker()
    listed = docker.lines("ps", "--all", "--filter", f"label={_BAKER}", "--format", f'{{{{.Names}}}} {{{{.Label "{_BAKER}"}}}}')
    for name, baker in (line.split(maxsplit=1) for line in listed):
        if name.startswith(f"{_BAKE}-") and _spelled(process_name(int(baker.partition("/")[0]))) != baker:
            _remove(name)


def _remove(name: str) -> None:
    run(["docker", "rm", "--force", "--volumes", name], check=False, timeout=PATIENT)


def _spelled(process: ProcessName | None) -> str:
    return f"{process.pid}/{process.start}/{process.boot}" if process else ""
