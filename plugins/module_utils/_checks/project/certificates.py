# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates that containers are given are those of the run."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.own_certificates import (
    OwnCertificate,
    not_good,
    own_certificates,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.folder import digests_in, sha256
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Object, is_running, name_of


@dataclass(frozen=True)
class ContainerCertificates:
    """The running containers of a component have each of its certificates in a volume: certificate, key and CA of tls/.

    They are compared by SHA-256, and are good for as long as `up` lets them be. Under which names the files lie is the manifest's
    business.
    """

    component: str

    def run(self, context: Context) -> Observation:
        certificates = own_certificates(context, self.component)
        for container in context.project.of(self.component):
            for certificate in certificates if is_running(container) else ():
                if wrong := _differs(context, container, certificate):
                    return failed("TLS_INVALID", wrong)
        return not_good(context, certificates) or passed(f"{self.component}: {len(certificates)} certificates are the run's")


def _differs(context: Context, container: Object, certificate: OwnCertificate) -> str:
    """How what a container has differs from a certificate, in words; empty when it does not."""
    name, volume = name_of(container), f"{context.project.name}_{certificate.secret}"
    folder = next((str(mount["Destination"]) for mount in container.get("Mounts") or [] if mount.get("Name") == volume), "")
    if not folder:
        return f"{name} does not have certificate {certificate.name} mounted"
    found = digests_in(context, container, folder)
    if found is None:
        return f"the files in {folder} of {name} cannot be read"
    ours = {}
    for file in certificate.files.values():
        try:
            ours[sha256(file)] = file
        except OSError as error:
            return f"{folder} of {name} cannot be compared: {file}: {error.strerror}"
    foreign = sorted(file for file, digest in found.items() if digest not in ours)
    if foreign:
        return f"{foreign[0]} in {folder} of {name} is not what {certificate.files['tls.crt'].parent} holds"
    missing = sorted(file.name for digest, file in ours.items() if digest not in found.values() and file.name != "ca.crt")
    return f"{folder} of {name} lacks {', '.join(missing)} of certificate {certificate.name}" if missing else ""
