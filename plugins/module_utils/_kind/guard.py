# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one guard before anything is written to a cluster: it is ours, or nothing happens.

Ours means all of: the run's own kubeconfig file, a server on loopback, the CA
and the uid of kube-system that were recorded when the cluster was made, and a
contract that was rendered for a cluster of our own. A tunnel from loopback to a
shared cluster fails on the CA before a request is sent, and on the uid after one
GET.

What was checked is what is used: the writer gets a kubeconfig made of the
checked values alone. So a file that changes in between, a proxy, a plugin or a
second context in it lead nowhere, and whoever takes over the port would need
the key of our CA.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.api import Identity, KubeApi
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.kubeconfig import ca_digest
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import READY, Record, read_record
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.kubeconfig import Kubeconfig
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_text

TARGET = "kubernetes"
_ELSEWHERE = "use the playbooks with -i inventories/kind, or those of the mode that was meant; nothing was written"
_AGAIN = "move that file away, then run {up}; nothing was written"
_RECORD = "{up} writes it again from the cluster; nothing was written"


@contextmanager
def own_cluster(state_dir: Path, kubeconfig: Path) -> Iterator[Path]:
    """Prove that ``kubeconfig`` leads to the cluster recorded in ``state_dir``; yield the kubeconfig to write with.

    What is yielded is private and goes when the block ends. Raises ParityError,
    all before anything is written: ``MODE_TARGET_REFUSED``, ``CONTRACT_NOT_RENDERED``,
    ``CLUSTER_ABSENT``, ``CLUSTER_HALF_MADE``, ``CLUSTER_RECORD_CORRUPT``, ``CLUSTER_NOT_OURS``,
    ``KUBECONFIG_FOREIGN``, ``KUBECONFIG_INVALID``, ``KUBECONFIG_NOT_LOCAL`` and ``KUBE_API_*``.
    """
    refuse_target(state_dir, needed=True)
    record = _made(state_dir)
    refuse_file(state_dir, kubeconfig)
    config = Kubeconfig.load(kubeconfig)
    if ca_digest(config) != record.ca_sha256:
        seen = f"{kubeconfig} trusts another CA than the one of the cluster {record.name}"
        raise ParityError("KUBECONFIG_FOREIGN", seen, _AGAIN)
    with KubeReader(config) as reader:
        refuse_other(record, KubeApi.who(reader))
    with tempfile.TemporaryDirectory(prefix=".own-cluster-", dir=state_dir) as folder:
        pinned = Path(folder) / "kubeconfig"
        write_text(pinned, _pinned(config))
        yield pinned


def refuse_target(state_dir: Path, *, needed: bool = False) -> None:
    """Raise ``MODE_TARGET_REFUSED`` when what was rendered into ``state_dir`` is not for a cluster of our own.

    Where nothing is rendered, or nothing that can be read: ``CONTRACT_NOT_RENDERED`` if it is ``needed``.
    """
    file = state_dir / "rendered" / "contract.json"
    try:
        contract = json.loads(file.read_text(encoding="utf-8"))
        mode, target = str(contract["mode"]), str(contract["target"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        if not needed:
            return
        raise ParityError("CONTRACT_NOT_RENDERED", f"{file}: {type(error).__name__}: {error}") from error
    if target != TARGET:
        seen = f"{file} is the mode {mode}, which is rendered for {target} and not for a cluster of this machine"
        raise ParityError("MODE_TARGET_REFUSED", seen, _ELSEWHERE, {"mode": mode, "target": target})


def refuse_file(state_dir: Path, kubeconfig: Path) -> None:
    """Raise ``KUBECONFIG_FOREIGN`` when the file is not the run's own: elsewhere, a link, or another user's.

    A file that does not exist yet is fine where it would be.
    """
    if kubeconfig.parent.resolve() != state_dir.resolve():
        raise ParityError("KUBECONFIG_FOREIGN", f"{kubeconfig} is not in the run's own folder {state_dir}", _ELSEWHERE)
    try:
        found = os.lstat(kubeconfig)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise ParityError("KUBECONFIG_FOREIGN", f"{kubeconfig} is a symbolic link to {kubeconfig.readlink()}", _AGAIN)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise ParityError("KUBECONFIG_FOREIGN", f"{kubeconfig} is not a file of this user", _AGAIN)


def refuse_other(record: Record, identity: Identity) -> None:
    """Raise ``CLUSTER_NOT_OURS`` when who answers is not who was recorded."""
    if identity.uid != record.uid:
        seen = f"the API that the kubeconfig leads to is cluster {identity.uid}, ours is {record.uid}"
        raise ParityError("CLUSTER_NOT_OURS", seen, _AGAIN)
    if identity.ca_sha256 != record.ca_sha256:
        seen = f"the API that the kubeconfig leads to has another CA than the cluster {record.name}"
        raise ParityError("CLUSTER_NOT_OURS", seen, _AGAIN)


def _made(state_dir: Path) -> Record:
    """The record of a cluster that was made to its end."""
    remembered = read_record(state_dir)
    if remembered.corrupt:
        raise ParityError("CLUSTER_RECORD_CORRUPT", remembered.corrupt, _RECORD)
    record = remembered.record
    if record is None:
        raise ParityError("CLUSTER_ABSENT", f"no cluster was made from {state_dir}")
    if record.phase != READY or not record.uid or not record.ca_sha256:
        raise ParityError("CLUSTER_HALF_MADE", f"the cluster {record.name} was not made to its end", "{up}")
    return record


def _pinned(config: Kubeconfig) -> str:
    """A kubeconfig of the checked values and nothing else. JSON is YAML."""
    data = {key: base64.b64encode(pem).decode() for key, pem in (("ca", config.ca), ("c", config.certificate), ("k", config.key))}
    name = config.cluster
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": config.server, "certificate-authority-data": data["ca"]}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [{"name": name, "user": {"client-certificate-data": data["c"], "client-key-data": data["k"]}}],
    }
    return json.dumps(document)
