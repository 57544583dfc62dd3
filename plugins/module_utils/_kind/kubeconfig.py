# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's kubeconfig file: is it ours, is it whole, does it lead to the cluster's port."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.kubeconfig import Kubeconfig
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml


@dataclass(frozen=True)
class KubeconfigFile:
    """The file as found. ``usable`` is false when there is none, or when what is there must be written again."""

    usable: bool
    server_port: int = 0
    ca_sha256: str = ""


def ca_digest(config: Kubeconfig) -> str:
    """The fingerprint of the cluster's CA certificate, as recorded."""
    return hashlib.sha256(config.ca).hexdigest()


def read_kubeconfig(path: Path, name: str, known_ca: str) -> KubeconfigFile:
    """Read the kubeconfig without following where it leads.

    Raises ``KUBECONFIG_FOREIGN`` when it is a symbolic link, holds a cluster
    other than ``kind-<name>``, names a server off loopback, or a CA other than
    ``known_ca`` (empty: none is known). A file that is cut short or otherwise
    broken is merely not usable.
    """
    if path.is_symlink():
        raise ParityError("KUBECONFIG_FOREIGN", f"{path} is a symbolic link to {path.readlink()}")
    try:
        document: Any = _yaml.load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return KubeconfigFile(False)
    except (UnicodeDecodeError, yaml.YAMLError):
        return KubeconfigFile(False)
    except OSError as error:
        raise ParityError("KUBECONFIG_FOREIGN", f"{path} cannot be read: {error.strerror}") from error
    _refuse_others(path, document, f"kind-{name}")
    try:
        config = Kubeconfig.parse(document)
    except ParityError as error:
        raise ParityError("KUBECONFIG_FOREIGN", f"{path}: {error.seen}") from error
    except ValueError:
        return KubeconfigFile(False)
    digest = ca_digest(config)
    if known_ca and digest != known_ca:
        raise ParityError("KUBECONFIG_FOREIGN", f"{path} trusts another CA than the one of the cluster {name}")
    return KubeconfigFile(True, urlsplit(config.server).port or 443, digest)


def _refuse_others(path: Path, document: Any, ours: str) -> None:
    """A file with anybody else's cluster in it is not ours to rewrite or remove."""
    clusters = document.get("clusters") if isinstance(document, dict) else None
    names = [str(entry.get("name")) for entry in clusters or () if isinstance(entry, dict)]
    others = [name for name in names if name != ours]
    if others:
        raise ParityError("KUBECONFIG_FOREIGN", f"{path} names the cluster {others[0]}, ours is {ours}")
