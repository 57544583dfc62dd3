"""A connection to NATS with a client certificate, which is who one is there.

It is opened beside everything else and kept: a server that is not there yet, or
goes, is a fault that readiness names, never a reason to end.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from pathlib import Path

from nats.aio.client import Client
from nats.js import JetStreamContext

from gpuaas.settings import ConfigurationError, WorkerSettings

CONNECT_SECONDS = 2
RECONNECT_SECONDS = 0.5
# An acknowledgement waits for the disk of the server.
ACKNOWLEDGE_SECONDS = 5.0
_log = logging.getLogger(__name__)
# asyncio's warning of how nats-py takes the end of a connection with TLS: it says nothing of ours.
logging.getLogger("asyncio").addFilter(lambda record: "eof_received" not in str(record.msg))


class Messaging:
    """The connection of a process named ``name``; replies go to an inbox that only its user may read."""

    def __init__(self, settings: WorkerSettings, name: str) -> None:
        """Raises ConfigurationError when the certificate cannot be used."""
        self._server = f"tls://{settings.nats_host}:{settings.nats_port}"
        self._tls = _client_tls(settings.nats_certificate)
        self._name = name
        self._client = Client()
        self._opening: asyncio.Task[None] | None = None
        self.last_error = ""
        self.connections = 0  # how many there were: what was on its way over an earlier one may be lost

    def open(self) -> None:
        """Begin to connect; returns at once."""
        self._opening = asyncio.create_task(self._connect())

    async def opened(self, seconds: float) -> None:
        """Connect, and wait for it. Raises TimeoutError."""
        self.open()
        assert self._opening
        try:
            await asyncio.wait_for(asyncio.shield(self._opening), seconds)
        except TimeoutError:
            raise TimeoutError(f"NATS is {self.fault()}") from None

    async def close(self) -> None:
        if self._opening:
            self._opening.cancel()
            with suppress(asyncio.CancelledError):
                await self._opening
        if self._client.is_connected or self._client.is_reconnecting:
            await self._client.close()

    def jetstream(self) -> JetStreamContext:
        """To publish and to manage streams; raises ConnectionError while there is no connection."""
        if fault := self.fault():
            raise ConnectionError(f"NATS is {fault}")
        return self._client.jetstream(timeout=ACKNOWLEDGE_SECONDS)

    def fault(self) -> str | None:
        """What is wrong with the connection, or None."""
        if self._client.is_connected:
            return None
        return f"not reachable ({self.last_error or 'no answer yet'})"

    async def _connect(self) -> None:
        await self._client.connect(
            self._server,
            name=self._name,
            tls=self._tls,
            tls_handshake_first=True,
            inbox_prefix=f"_INBOX_{self._name}",
            connect_timeout=CONNECT_SECONDS,
            reconnect_time_wait=RECONNECT_SECONDS,  # type: ignore[arg-type]  # it is passed to asyncio.sleep
            max_reconnect_attempts=-1,
            error_cb=self._failed,
            reconnected_cb=self._reconnected,
        )
        self.connections += 1
        _log.info("connected to NATS")

    async def _failed(self, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        if said != self.last_error:
            _log.warning("NATS", extra={"fields": {"cause": said}})
        self.last_error = said

    async def _reconnected(self) -> None:
        self.last_error = ""
        self.connections += 1
        _log.info("connected to NATS again")


def _client_tls(directory: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(directory / "ca.crt"))
        context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            "GPUAAS_NATS_CERTIFICATE is not a directory with a readable tls.crt, tls.key and ca.crt"
        ) from None
    return context
