# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP answer: status, headers, JSON, text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import EVERYWHERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx, jmespath


@dataclass(frozen=True)
class Http:
    """A request through the user's path and what its answer must be.

    ``headers`` maps names to regular expressions, ``json`` maps JMESPath expressions to the value each must
    have, ``body`` is a regular expression. Redirects are followed only when ``follow`` says so. ``timeout`` is seconds
    for each step of the answer, by default what the target asks for.
    """

    targets: ClassVar[frozenset[str]] = EVERYWHERE
    url: str
    method: str = "GET"
    status: int | list[int] = 200
    headers: dict[str, Any] = field(default_factory=dict)
    json: dict[str, Any] = field(default_factory=dict)
    body: str = ""
    follow: bool = False
    timeout: float | None = None

    def __post_init__(self) -> None:
        try:
            for pattern in (self.body, *map(str, self.headers.values())):
                re.compile(pattern)
            for expression in self.json:
                jmespath.compile(expression)
        except (re.error, jmespath.exceptions.JMESPathError) as error:
            raise ValueError(f"{error}") from error

    def run(self, context: Context) -> Observation:
        try:
            response = context.http.request(self.method, self.url, follow_redirects=self.follow, timeout=self.timeout or context.patience)
        except httpx.TransportError as error:
            return failed("HTTP_UNREACHABLE", f"{self.url}: {type(error).__name__}: {error}")
        wrong = self._wrong(response)
        where = f"{self.method} {self.url}: {response.status_code}"
        return failed("HTTP_UNEXPECTED", f"{where}, {wrong}") if wrong else passed(where)

    def _wrong(self, response: httpx.Response) -> str:
        statuses = self.status if isinstance(self.status, list) else [self.status]
        if response.status_code not in statuses:
            start = " ".join(response.text[:120].split())
            return f"not {' or '.join(map(str, statuses))}: {start or 'empty body'}"
        for name, pattern in self.headers.items():
            value = response.headers.get(name)
            if value is None or not re.search(str(pattern), value):
                return f"header {name} is {value!r}, not like {pattern!r}"
        if self.json:
            try:
                document = response.json()
            except ValueError:
                return "the body is not JSON"
            for expression, wanted in self.json.items():
                found = jmespath.search(expression, document)
                if found != wanted:
                    return f"{expression} is {found!r}, not {wanted!r}"
        if self.body and not re.search(self.body, response.text):
            return f"the body is not like {self.body!r}"
        return ""
