"""What a process serves."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True)
class Service:
    """``app`` is for everybody, ``probes`` for the node alone: each has its port."""

    app: ASGIApp
    probes: ASGIApp
    listen_port: int
    probe_port: int
    log_level: str
