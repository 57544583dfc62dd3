"""What stands between console and API: it loses requests or answers, or refuses a token, when it is said to."""

from __future__ import annotations

import json

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

PASSED_ON = ("authorization", "content-type", "idempotency-key", "x-forwarded-for", "x-request-id")


class Courier:
    """``loses`` is empty, ``request`` or ``answer``; ``refuses`` is a token, ``answers`` a status instead of the API's answer."""

    def __init__(self, api_url: str) -> None:
        self._api_url = api_url
        self.loses = ""
        self.refuses = ""
        self.answers = 0

    def app(self) -> Starlette:
        """Every path and method."""
        return Starlette(routes=[Route("/{path:path}", self._carry, methods=["GET", "POST", "PATCH", "DELETE"])])

    async def _carry(self, request: Request) -> Response:
        if self.refuses and self.refuses in request.headers["authorization"]:
            problem = {"status": 401, "code": "token_signature", "detail": "The token is refused."}
            return Response(json.dumps(problem), 401, media_type="application/problem+json")
        if self.answers:
            problem = {"status": self.answers, "code": "not_now", "detail": "Not now."}
            return Response(json.dumps(problem), self.answers, media_type="application/problem+json")
        if self.loses == "request":
            return PlainTextResponse("nobody is there", 502)
        headers = {name: value for name, value in request.headers.items() if name in PASSED_ON}
        url = f"{self._api_url}{request.url.path}?{request.url.query}"
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.request(request.method, url, headers=headers, content=await request.body())
        if self.loses == "answer":
            return PlainTextResponse("lost on the way", 502)
        return Response(answer.content, answer.status_code, {"Content-Type": answer.headers.get("content-type", "")})
