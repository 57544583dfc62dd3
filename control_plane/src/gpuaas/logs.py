"""Structured logs: one JSON object a line on standard output."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from gpuaas import tracing

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_NOISY = ("httpx", "httpcore", "psycopg.pool", "uvicorn.error")


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, request and trace id, and what was passed as ``extra={"fields": {...}}``."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, identity in (("request_id", request_id.get()), ("trace_id", tracing.trace_id())):
            if identity:
                entry[name] = identity
        entry.update(getattr(record, "fields", {}))
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def configure(level: str) -> None:
    """Send every logger's records to standard output as JSON, from ``level`` on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    # At debug level the HTTP client would print headers, and with them tokens.
    logging.getLogger("httpcore").setLevel(logging.WARNING)
