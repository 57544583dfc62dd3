"""Files of the pages: ours, and the JOSE library of browsers, which the image takes from npm.

A browser asks each time whether a file is still the same: a script names the modules that it needs without a version.
"""

from __future__ import annotations

import sys
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# Beside the libraries of Python, so that it is there as well where our source is mounted (``gpuaas web --reload``).
JOSE = Path(sys.prefix) / "share" / "gpuaas" / "jose"


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def ours() -> StaticFiles:
    """Style, scripts, icon."""
    return _Files(packages=[("gpuaas.web", "static")])


def jose() -> StaticFiles:
    """https://github.com/panva/jose, as modules. Without it pages show what is sealed as sealed."""
    return _Files(directory=JOSE, check_dir=False)
