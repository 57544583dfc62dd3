"""What a project should know now, on its pages."""

from __future__ import annotations

import logging
from typing import Any

from starlette.requests import Request

from gpuaas.web import visitor
from gpuaas.web.api_client import ApiProblemError, ApiUnavailableError
from gpuaas.web.resources import resources
from gpuaas.web.visitor import Visitor

_log = logging.getLogger(__name__)


async def of(request: Request, who: Visitor, project: str) -> list[dict[str, Any]]:
    """About everything, and about single instances. A page is shown without them rather than not at all."""
    its = resources(request)
    try:
        return await visitor.ask(request, who, lambda token: its.api.notices(token, project))
    except (ApiProblemError, ApiUnavailableError) as error:
        _log.warning("no notices", extra={"fields": {"cause": str(error)}})
        return []
