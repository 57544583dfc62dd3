# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a certificate is good enough to be kept."""

from __future__ import annotations

import stat
from datetime import datetime
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import exceptions, x509
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import mode_of
from ansible_collections.gpuaas.parity.plugins.module_utils._tls import pem
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.ca import RENEW_BEFORE, Authority
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.certificates import Profile

EXPIRES = "it expires soon"


def defect(directory: Path, profile: Profile, ca: Authority, now: datetime) -> str:
    """Why the certificate in ``directory`` must be issued again; empty when it need not.

    A certificate is cheap and nothing depends on its key, so every defect has
    the same cure.
    """
    key_file, file = directory / "tls.key", directory / "tls.crt"
    try:
        for path in (key_file, file):
            if not stat.S_ISREG(path.lstat().st_mode) or mode_of(path) != 0o600:
                return f"{path.name} is not a file of mode 0600"
        key, certificate = pem.load_key(key_file), pem.load_certificate(file)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        certificate.verify_directly_issued_by(ca.certificate)
    except FileNotFoundError:
        return "there is none"
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return "it is broken"
    except exceptions.InvalidSignature:
        return "another CA signed it"
    if not pem.same_key(certificate, key):
        return "key and certificate do not belong together"
    if names != profile.names or certificate.subject != profile.subject:
        return "it is for another name"
    if purposes != profile.purposes:
        return "it is for another use"
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE:
        return EXPIRES
    return ""
