# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status as one screen of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

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


def _head(status: Object) -> list[str]:
    if "project" in status:
        project = status["project"]
        old = f", age {duration(project['age_seconds'])}" if project["running"] else ""
        lines = [f"project {project['name']}: {project['running']}/{project['containers']} containers run{old}"]
        return [*lines, project["blocker"]] if project["blocker"] else lines
    cluster = status["cluster"]
    state = "Ready" if cluster["ready"] else "not Ready"
    old = duration(cluster["age_seconds"])
    return [
        f"cluster {cluster['name']}: {state}, Kubernetes {cluster['kubernetes']}, age {old}",
        f"node image {cluster['node_image']}",
    ]


def _host_ports(status: Object) -> list[str]:
    """Where the host reaches what has no URL; an endpoint's port is in its URL already."""
    ports = [f"{row['name']} {port}" for row in status["components"] for port in row.get("ports", [])]
    shown = {str(urlsplit(row["url"]).port or 443) for row in status["endpoints"]}
    return [port for port in ports if port.rpartition(":")[2] not in shown]


def screen(status: Object) -> list[str]:
    """The lines of the screen."""
    ca = status["ca"]
    lines = [*_head(status), ""]
    lines += table(
        ("COMPONENT", "READY", "AGE", "RESTARTS", ""),
        [
            (
                row["name"],
                f"{row['ready']}/{row['wanted']}",
                duration(row["age_seconds"]) if row["age_seconds"] else "-",
                str(row["restarts"]),
                f"waits for {', '.join(row['waits_for'])}" if row["waits_for"] else " ".join(filter(None, (row["reason"], row["blocker"]))),
            )
            for row in status["components"]
        ],
    )
    lines += ["", *table(("ENDPOINT", "URL", "NOW", ""), [(r["name"], r["url"], r["now"], r["purpose"]) for r in status["endpoints"]])]
    if _host_ports(status):
        lines += ["", f"on the host besides: {', '.join(_host_ports(status))}"]
    if status["users"]:
        lines += ["", *table(("USER", "ROLE", "PASSWORD UNDER"), [(r["user"], r["role"], r["password_key"]) for r in status["users"]])]
        lines.append(f"passwords are in {status['users'][0]['password_file']}")
    until = f"valid until {ca['not_after'][:10]} ({ca['days_left']} days)" if ca["not_after"] else "missing or unreadable"
    lines += ["", f"CA {ca['path']}, {until}", f"to trust it on this machine: {ca['trust']}"]
    return lines
