"""What a process serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp

from gpuaas import probes
from gpuaas.admission import Admission, Refusal
from gpuaas.http import Edge
from gpuaas.probes import Check
from gpuaas.settings import ApiSettings, WebSettings


@dataclass(frozen=True, slots=True)
class Service:
    """``app`` is for everybody, ``probes`` for the node alone: each has its port.

    ``stop`` is called when the process is told to stop: what answers without end ends. ``websocket_protocol`` names the class
    that speaks WebSocket, where anybody does.
    """

    app: ASGIApp
    probes: ASGIApp
    listen_port: int
    probe_port: int
    log_level: str
    stop: Callable[[], None] = lambda: None
    websocket_protocol: str = "none"


def behind_edge(
    app: Starlette,
    settings: ApiSettings | WebSettings,
    headers: Mapping[str, str],
    credential: Callable[[Headers], str | None],
    refuse: Callable[[Refusal], Response],
    checks: Callable[[], dict[str, Check]],
    stop: Callable[[], None] = lambda: None,
    websocket_protocol: str = "none",
) -> Service:
    """``app`` behind the edge that it shares with the others, and its probes.

    ``headers`` are those of every answer, ``credential`` is what recognises a visitor, ``refuse`` answers who is not
    let in, and ``checks`` are those of readiness.
    """
    return Service(
        app=Edge(
            app, headers, Admission(settings.source_limit_per_minute, settings.trusted_proxies, credential), refuse
        ),
        probes=probes.create_app(checks),
        listen_port=settings.listen_port,
        probe_port=settings.probe_port,
        log_level=settings.log_level,
        stop=stop,
        websocket_protocol=websocket_protocol,
    )
