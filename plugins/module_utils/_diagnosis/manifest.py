# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MANIFEST.txt: what a bundle holds, what it lacks and why, and what was taken out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime


def manifest(verb: str, reason: str, now: datetime, texts: Mapping[str, str], missed: list[tuple[str, str]]) -> str:
    """The text of MANIFEST.txt."""
    lines = [
        "Diagnosis bundle of gpuaas.parity",
        f"run:     {verb}",
        f"reason:  {reason or '(none given)'}",
        f"written: {now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "",
        "Read failure.txt first, then SUMMARY.txt (what blocks each pod or container), then logs/ and, of a cluster,",
        "cluster/events.txt and node/.",
        "",
        "Redacted as [***]: every secret of this run in every encoding, private keys, the kubeconfig's key, tokens,",
        "cookies, and what is called a password, secret or token in JSON, connection strings, headers and URLs.",
        "Kubernetes Secrets were never read.",
        "",
        f"Collected ({len(texts)} files, characters):",
        *(f"  {len(text):>9}  {path}" for path, text in texts.items()),
        "",
        f"Not collected ({len(missed)}):" if missed else "Not collected: nothing is missing.",
        *(f"  {what}: {why}" for what, why in missed),
    ]
    return "\n".join(lines) + "\n"
