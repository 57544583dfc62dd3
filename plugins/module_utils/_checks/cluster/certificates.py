# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates that pods are given are those of the run."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.configuration import generated, secret_differs
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.rollout import pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.own_certificates import not_good, own_certificates
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.references import references


@dataclass(frozen=True)
class PodCertificates:
    """The pods of a component use exactly one Secret for each of its certificates, which holds certificate, key and CA of tls/.

    They are compared by SHA-256, and are good for as long as `up` lets them be.
    """

    component: str

    def run(self, context: Context) -> Observation:
        certificates, pods = own_certificates(context, self.component), pods_of(context, self.component)
        namespace = str(context.service(self.component)["namespace"])
        used = {name for pod in pods for name in references(pod)[1]}
        for certificate in certificates:
            names = sorted(generated(used, certificate.secret))
            if len(names) != 1:
                return failed(
                    "TLS_INVALID", f"the pods of {self.component} use {', '.join(names) or 'no'} {certificate.secret}, not exactly one"
                )
            if wrong := secret_differs(context.snapshot, namespace, names[0], certificate.files):
                return failed("TLS_INVALID", wrong)
        return not_good(context, certificates) or passed(f"{self.component}: {len(certificates)} certificates are the run's")
