"""Connections to Postgres."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from gpuaas.settings import MigrateSettings

type Pool = AsyncConnectionPool[AsyncConnection[DictRow]]

CONNECT_SECONDS = 2
CHECKOUT_SECONDS = 2.0
# A statement or an open transaction never holds a row for longer than a client waits.
_OPTIONS = "-c statement_timeout=5000 -c idle_in_transaction_session_timeout=10000"


def parameters(settings: MigrateSettings, password: str) -> dict[str, Any]:
    """Keyword arguments of a connection."""
    return {
        "host": settings.database_host,
        "port": settings.database_port,
        "dbname": settings.database_name,
        "user": settings.database_user,
        "password": password,
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "gpuaas",
        "gssencmode": "disable",
    }


def create_pool(settings: MigrateSettings, password: str, size: int) -> Pool:
    """A pool of at most ``size`` connections that is opened later and needs no database to be there yet."""
    return AsyncConnectionPool(
        "",
        kwargs={**parameters(settings, password), "options": _OPTIONS, "row_factory": dict_row},
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=size,
        open=False,
        timeout=CHECKOUT_SECONDS,
        # A connection that died with its server is replaced here, not handed out.
        check=AsyncConnectionPool.check_connection,
        # The pool backs off for minutes otherwise; so the next request, or the
        # next readiness probe, is what tries again.
        reconnect_timeout=0.01,
    )
