"""Asks a running fleet: its API as its callers do, the simulation's from inside its container."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

from gpu_fleet.settings import LOOPBACK, Secrets, Settings

SECONDS = 10.0


class AskError(Exception):
    """No answer, or one that says no; one line."""


def simulation(settings: Settings, method: str, path: str, body: Any = None) -> Any:
    """What the simulation's API answers. Raises AskError."""
    return _ask(http.client.HTTPConnection(LOOPBACK, settings.simulation_port, timeout=SECONDS), method, path, body, {})


def api(settings: Settings, secrets: Secrets, path: str) -> Any:
    """What the fleet's API answers, by the name that its callers use, over TLS. Raises AskError."""
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise AskError(f"{settings.ca_file}: {error}") from None
    connection = http.client.HTTPSConnection(settings.host, settings.listen_port, timeout=SECONDS, context=context)
    return _ask(connection, "GET", path, None, {"Authorization": f"Bearer {secrets.controller_token}"})


def _ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    sent = None if body is None else json.dumps(body)
    kind = {} if body is None else {"Content-Type": "application/json"}
    try:
        connection.request(method, path, sent, headers | kind)
        answer = connection.getresponse()
        text = answer.read()
        found = json.loads(text) if text else None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise AskError(f"{connection.host}:{connection.port}: {type(error).__name__}: {error}") from None
    finally:
        connection.close()
    if answer.status >= 300:
        problem = found if isinstance(found, dict) else {}
        details = [f"{its['field']}: {its['message']}" for its in problem.get("errors", [])]
        raise AskError("; ".join([f"{answer.status} {problem.get('code')}: {problem.get('detail')}", *details]))
    return found
