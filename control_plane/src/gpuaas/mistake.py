"""For development: what keeps the mounted source from being served, as the answer to every request."""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount

from gpuaas.service import Service

_HEADERS = {"Cache-Control": "no-store", "Retry-After": "1", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """``place`` is the file and line to look at, ``message`` what Python says of it."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def found(error: BaseException, package: Path) -> Mistake:
    """The mistake that ``error`` tells of; of its traceback the last line that is the package's own is the one to mend."""
    name = type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return Mistake(_place(error.filename, error.lineno, package), f"{name}: {error.msg}")
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(package)]
    (*_others, last) = own or frames
    return Mistake(_place(last.filename, last.lineno, package), f"{name}: {error}")


def service(command: str, mistake: Mistake, listen_port: int, probe_port: int) -> Service:
    """Answers 503 with the mistake: as ``api`` tells of errors, or to be read in a browser."""
    answer = Starlette(routes=[Mount("/", _problem(mistake) if command == "api" else _page(mistake))])
    return Service(answer, _page(mistake), listen_port, probe_port, log_level="info")


def _place(file: str, line: int | None, package: Path) -> str:
    path = Path(file)
    shown = path.relative_to(package.parent) if path.is_relative_to(package) else path
    return f"{shown}, line {line}"


def _problem(mistake: Mistake) -> Response:
    document = {
        "type": "urn:gpuaas:problem:unavailable",
        "title": "Service Unavailable",
        "status": 503,
        "code": "unavailable",
        "detail": f"The mounted source cannot be served: {mistake}",
    }
    return Response(json.dumps(document), 503, _HEADERS, "application/problem+json")


def _page(mistake: Mistake) -> Response:
    text = f"The mounted source cannot be served. It is tried again with the next edit.\n\n{mistake}\n"
    return Response(text, 503, _HEADERS, "text/plain")
