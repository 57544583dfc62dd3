"""How a test asks the platform's Postgres as its superuser, in the server's own container."""

from __future__ import annotations

_SCRIPT = (
    '. /etc/gpuaas/prepare/roles.sh; . /etc/gpuaas/prepare/login.sh; superuser --dbname=gpuaas --tuples-only --no-align --command="$1"'
)


def psql(statement: str) -> list[str]:
    """The command to run there; the password stays in the container."""
    return ["sh", "-c", _SCRIPT, "sql", statement]
