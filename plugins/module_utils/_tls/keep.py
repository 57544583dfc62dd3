# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring tls/ of a run in line with the contract's endpoints and components."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import hashes
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import (
    ensure_dir,
    sweep,
    write_if_changed,
    writing,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._tls import certificates, pem
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.ca import Authority, open_ca
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.leaves import defect
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.wanted import profiles, scope


@dataclass(frozen=True)
class Kept:
    """The CA as it is now.

    ``issued`` maps ``ca`` or a certificate to why; ``fingerprint`` is SHA-256 in
    hex. A dry run cannot tell fingerprint and end of a CA that is yet to be issued.
    """

    changed: bool
    issued: dict[str, str]
    removed: list[str]
    ca_file: Path
    fingerprint: str | None
    not_after: datetime | None


def keep(contract: dict[str, Any], state_dir: Path, now: datetime, *, dry: bool) -> Kept:
    """Open or make the CA, issue what endpoints and components lack, remove what is of neither; with ``dry`` write nothing.

    Raises ParityError: CA_CORRUPT, CA_PERMISSIONS, STATE_UNWRITABLE.
    """
    root = state_dir / "tls"
    wanted = profiles(contract)
    ca = open_ca(root, scope(contract), now)
    issued = {"ca": "there is none" if ca.made else "it is incomplete, expires soon or is for other names"} if ca.issued else {}
    changed = [ensure_dir(directory, dry=dry) for directory in (state_dir, root)]
    if not dry:
        sweep(root)
    # The key first: it alone is what a later run cannot make again.
    changed.append(write_if_changed(root / "ca.key", pem.encode_key(ca.key), dry=dry) if ca.made else False)
    changed.append(write_if_changed(root / "ca.crt", pem.encode_certificate(ca.certificate), 0o644, dry=dry))
    for name, profile in sorted(wanted.items()):
        changed.append(ensure_dir(root / name, dry=dry))
        if cause := defect(root / name, profile, ca, now):
            issued[name] = cause
            if not dry:
                _issue(root / name, profile, ca, now)
    removed = _remove_stale(root, set(wanted), dry=dry)
    known = not (dry and ca.issued)
    return Kept(
        changed=any(changed) or bool(issued) or bool(removed),
        issued=issued,
        removed=removed,
        ca_file=root / "ca.crt",
        fingerprint=ca.certificate.fingerprint(hashes.SHA256()).hex() if known else None,
        not_after=ca.certificate.not_valid_after_utc if known else None,
    )


def _issue(directory: Path, profile: certificates.Profile, ca: Authority, now: datetime) -> None:
    key = certificates.new_key()
    leaf = certificates.issue_leaf(key, profile, ca.certificate, ca.key, now)
    write_if_changed(directory / "tls.key", pem.encode_key(key))
    write_if_changed(directory / "tls.crt", pem.encode_certificate(leaf))


def _remove_stale(root: Path, wanted: set[str], *, dry: bool) -> list[str]:
    """Remove directories of certificates that belong to no endpoint and no component."""
    stale = sorted(path.parent.name for path in root.glob("*/tls.crt") if path.parent.name not in wanted)
    if not dry:
        with writing(root):
            for name in stale:
                shutil.rmtree(root / name)
    return stale
