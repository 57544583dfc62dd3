# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status as one screen of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Object = dict[str, Any]


def duration(seconds: int) -> str:
    """Seconds the way kubectl writes an age: the largest unit that is at least two, else the next smaller one."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows under a head, in columns that are as wide as they must be; nothing trails."""
    if not rows:
        return []
    widths = [max(len(row[index]) for row in [head, *rows]) for index in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]]


def screen(status: Object) -> list[str]:
    """The lines of the screen."""
    cluster, ca = status["cluster"], status["ca"]
    state = "Ready" if cluster["ready"] else "not Ready"
    old = duration(cluster["age_seconds"])
    lines = [
        f"cluster {cluster['name']}: {state}, Kubernetes {cluster['kubernetes']}, age {old}",
        f"node image {cluster['node_image']}",
        "",
    ]
    lines += table(
        ("COMPONENT", "READY", "AGE", "RESTARTS", ""),
        [
            (
                row["name"],
                f"{row['ready']}/{row['wanted']}",
                duration(row["age_seconds"]) if row["age_seconds"] else "-",
                str(row["restarts"]),
                row["blocker"],
            )
            for row in status["components"]
        ],
    )
    lines += ["", *table(("ENDPOINT", "URL", "NOW", ""), [(r["name"], r["url"], r["now"], r["purpose"]) for r in status["endpoints"]])]
    if status["users"]:
        lines += ["", *table(("USER", "ROLE", "PASSWORD UNDER"), [(r["user"], r["role"], r["password_key"]) for r in status["users"]])]
        lines.append(f"passwords are in {status['users'][0]['password_file']}")
    until = f"valid until {ca['not_after'][:10]} ({ca['days_left']} days)" if ca["not_after"] else "missing or unreadable"
    lines += ["", f"CA {ca['path']}, {until}", f"to trust it on this machine: {ca['trust']}"]
    return lines
