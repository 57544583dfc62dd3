"""Templates."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from gpuaas import __version__


def _version(file: str) -> str:
    return hashlib.sha256(resources.files("gpuaas.web").joinpath("static", file).read_bytes()).hexdigest()[:12]


_environment = Environment(
    loader=PackageLoader("gpuaas.web"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(
    style_version=_version("app.css"),
    script_version=_version("live.js"),
    dashboard_version=_version("dashboard.js"),
    version=__version__,
    user=None,
    csrf_token=None,
    # What only some see, or is there only sometimes.
    operates=False,
    here="",
    notices=(),
)


def text(template: str, **values: Any) -> str:
    """A piece of a page."""
    return _environment.get_template(template).render(values)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page; nobody keeps a copy of it."""
    return HTMLResponse(text(template, **values), status, {"Cache-Control": "no-store"})
