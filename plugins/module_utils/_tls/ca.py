# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local CA on disk: made once, its key never replaced, its certificate renewed under that key."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import exceptions, x509
from ansible_collections.gpuaas.parity.plugins.module_utils._tls import certificates, pem

RENEW_BEFORE = timedelta(days=14)


@dataclass(frozen=True)
class Authority:
    """The CA: ``made`` is True for a new key, ``issued`` for a new certificate."""

    key: certificates.Key
    certificate: x509.Certificate
    made: bool
    issued: bool


def open_ca(root: Path, scope: certificates.Scope, now: datetime) -> Authority:
    """The CA in ``root``, or a new one when there is nothing of one; nothing is written.

    A new key is made only where neither key, certificate nor any certificate of
    it exists. A certificate that ends within 14 days or is for another scope is
    renewed under the same key: what it signed stays good, and who trusted it on
    another machine trusts the new one there. A key without a certificate and
    without anything signed is what an interrupted first run leaves: it is taken up.

    Raises ParityError: CA_CORRUPT, CA_PERMISSIONS.
    """
    key_file, ca_file = root / "ca.key", root / "ca.crt"
    leaves = any(root.glob("*/tls.*"))
    if not _exists(key_file):
        if leaves or _exists(ca_file):
            raise ParityError("CA_CORRUPT", f"{key_file} does not exist, but what it signed does")
        key = certificates.new_key()
        return Authority(key, certificates.issue_ca(key, scope, now), made=True, issued=True)
    _check_private(key_file)
    try:
        key = pem.load_key(key_file)
    except (OSError, ValueError) as error:
        raise ParityError("CA_CORRUPT", f"{key_file} {_cause(error)}") from None
    if not _exists(ca_file):
        if leaves:
            raise ParityError("CA_CORRUPT", f"{ca_file} does not exist, but certificates of it do")
        return Authority(key, certificates.issue_ca(key, scope, now), made=False, issued=True)
    try:
        certificate = pem.load_certificate(ca_file)
        _check_own(certificate, key)
        current = _is_current(certificate, scope, now)
    except (OSError, ValueError) as error:
        raise ParityError("CA_CORRUPT", f"{ca_file} {_cause(error)}") from None
    if current:
        return Authority(key, certificate, made=False, issued=False)
    return Authority(key, certificates.issue_ca(key, scope, now), made=False, issued=True)


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _cause(error: Exception) -> str:
    return f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)


def _check_private(path: Path) -> None:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise ParityError("CA_PERMISSIONS", f"{path} is not a regular file")
    if status.st_uid != os.geteuid():
        raise ParityError("CA_PERMISSIONS", f"{path} belongs to user {status.st_uid}, this run to user {os.geteuid()}")
    if (mode := stat.S_IMODE(status.st_mode)) != 0o600:
        raise ParityError("CA_PERMISSIONS", f"{path} has mode {mode:04o}, it must be 0600")


def _check_own(certificate: x509.Certificate, key: certificates.Key) -> None:
    if not pem.same_key(certificate, key):
        raise ValueError("is not the certificate of ca.key")
    try:
        certificate.verify_directly_issued_by(certificate)
    except (exceptions.InvalidSignature, TypeError, ValueError):
        raise ValueError("is not signed by its own key") from None


def _is_current(certificate: x509.Certificate, scope: certificates.Scope, now: datetime) -> bool:
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE:
        return False
    try:
        return all(
            (found := certificate.extensions.get_extension_for_class(kind)).value == value and found.critical == critical
            for kind, (value, critical) in certificates.ca_extensions(scope).items()
        )
    except x509.ExtensionNotFound:
        return False
