"""A connection that the server has closed is opened again, whenever that is noticed."""

from __future__ import annotations

import asyncio

import redis

from gpuaas.redis_client import create
from support.processes import Server


def test_a_connection_that_was_closed_before_a_command_is_opened_again(
    valkey: Server, redis_client: redis.Redis
) -> None:
    async def command() -> str:
        client = create(valkey.host, valkey.port, "api", valkey.password)
        try:
            connection = await client.connection_pool.get_connection()
            redis_client.client_kill_filter(_type="normal", skipme=True)
            async with asyncio.timeout(10):
                # What is sent after the server's end has gone is answered with a reset, and that is what closes a transport.
                while not connection._writer.transport.is_closing():
                    connection._writer.write(b"PING\r\n")
                    await asyncio.sleep(0.01)
            await connection.send_command("PING")
            return str(await connection.read_response())
        finally:
            await client.aclose()

    assert asyncio.run(command()) == "PONG"
