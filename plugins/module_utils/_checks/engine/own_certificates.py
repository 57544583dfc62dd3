# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of a component as they lie in tls/ of the run: which files they are, and whether they are still good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.certificates import secret_of
from ansible_collections.gpuaas.parity.plugins.module_utils._tls import pem
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.keep import keep
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.leaves import EXPIRES


@dataclass(frozen=True)
class OwnCertificate:
    """``secret`` is the name it is mounted by, ``files`` what is mounted: certificate, key and the CA by file name."""

    name: str
    secret: str
    files: dict[str, Path]


def own_certificates(context: Context, component: str) -> list[OwnCertificate]:
    """The certificates that the contract gives a component, by name."""
    tls = context.state_dir / "tls"
    return [
        OwnCertificate(
            f"{component}-{key}",
            secret_of(component, key),
            {"ca.crt": tls / "ca.crt"} | {file: tls / f"{component}-{key}" / file for file in ("tls.crt", "tls.key")},
        )
        for key in sorted(context.service(component).get("certificates") or {})
    ]


def not_good(context: Context, certificates: Iterable[OwnCertificate]) -> Observation | None:
    """What of ``certificates`` the next `up` would issue again, None when nothing is: ``TLS_EXPIRING`` or ``TLS_INVALID``.

    Raises ParityError CA_CORRUPT, CA_PERMISSIONS.
    """
    causes = keep(context.contract, context.state_dir, datetime.now(UTC), dry=True).issued
    for certificate in certificates:
        cause = causes.get(certificate.name)
        if cause == EXPIRES:
            ends = pem.load_certificate(certificate.files["tls.crt"]).not_valid_after_utc
            return failed("TLS_EXPIRING", f"certificate {certificate.name} ends on {ends:%Y-%m-%d %H:%M} UTC")
        if cause:
            return failed("TLS_INVALID", f"certificate {certificate.name} in {certificate.files['tls.crt'].parent}: {cause}")
    return None
