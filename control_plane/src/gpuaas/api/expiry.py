"""What nobody asks for any more goes, a bounded part at a time.

An idempotency key is for a client that repeats itself, an event that was
published for a stream that has to be filled again, and a deleted instance with
its timeline for its project's history. An event that was not published stays,
however old, and with it its instance; so does one that is not in the journal,
where there is one. What consumers have handled is known for
as long as the stream may send it again: that keeps an event for seven days, and
is filled again from the outbox.
"""

from __future__ import annotations

import asyncio
import logging

import psycopg

from gpuaas.database import Pool

EVERY_SECONDS = 300.0
BATCH = 500
MAX_BATCHES = 20
# One process at a time: the others have nothing to do.
LOCK = 0x67707862  # "gpxb": any number, as long as it is always the same
_log = logging.getLogger(__name__)

# In this order: what was handled goes after its event, an instance once nothing speaks of it.
STATEMENTS = {
    "idempotency_keys": (
        "DELETE FROM idempotency_keys WHERE (subject, key) IN (SELECT subject, key FROM idempotency_keys"
        " WHERE created_at < now() - interval '2 days' LIMIT %s FOR UPDATE SKIP LOCKED)"
    ),
    "outbox": (
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox"
        " WHERE published_at < now() - interval '8 days'"
        " AND (journal_number IS NOT NULL OR NOT EXISTS (SELECT FROM journal_heads)) LIMIT %s FOR UPDATE SKIP LOCKED)"
    ),
    "processed_events": (
        "DELETE FROM processed_events WHERE (consumer, event_id) IN (SELECT consumer, event_id FROM processed_events AS p"
        " WHERE processed_at < now() - interval '9 days'"
        " AND NOT EXISTS (SELECT FROM outbox AS o WHERE o.event_id = p.event_id) LIMIT %s FOR UPDATE OF p SKIP LOCKED)"
    ),
    "instances": (
        "DELETE FROM instances WHERE id IN (SELECT id FROM instances"
        " WHERE deleted_at < now() - interval '30 days'"
        " AND NOT EXISTS (SELECT FROM idempotency_keys AS k WHERE k.instance_id = instances.id)"
        " AND NOT EXISTS (SELECT FROM outbox AS o WHERE o.instance_id = instances.id)"
        " LIMIT %s FOR UPDATE SKIP LOCKED)"
    ),
    # Of a worker that the platform has no more.
    "reports": (
        "DELETE FROM reports WHERE (about, role) IN (SELECT about, role FROM reports"
        " WHERE reported_at < now() - interval '30 days' LIMIT %s)"
    ),
}


async def run(pool: Pool) -> None:
    """Let things expire for as long as the process lives."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            gone = await once(pool)
        except psycopg.Error as error:
            _log.warning("nothing expired", extra={"fields": {"cause": f"{type(error).__name__}: {error}"}})
            continue
        if any(gone.values()):
            _log.info("expired", extra={"fields": gone})


async def once(pool: Pool) -> dict[str, int]:
    """Rows that went, by table; each batch is a transaction of its own. Raises psycopg.Error."""
    gone = dict.fromkeys(STATEMENTS, 0)
    for table, statement in STATEMENTS.items():
        for _batch in range(MAX_BATCHES):
            count = await _batch_of(pool, statement)
            gone[table] += count
            if count < BATCH:
                break
    return gone


async def _batch_of(pool: Pool, statement: str) -> int:
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(%s) AS ours", [LOCK])
        row = await cursor.fetchone()
        if not row or not row["ours"]:
            return 0
        return (await connection.execute(statement, [BATCH])).rowcount
