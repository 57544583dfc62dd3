"""Temporal: the connection with a client certificate, and the worker that runs workflows and their steps.

It is opened beside everything else: a server that is not there yet, or goes, is a fault that readiness names, never a
reason to end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import temporalio.api.enums.v1 as enums
import temporalio.api.taskqueue.v1 as queues
import temporalio.api.workflowservice.v1 as service
from temporalio.client import Client
from temporalio.service import RPCError, TLSConfig
from temporalio.worker import Interceptor, Worker

from gpuaas import tracing
from gpuaas.encryption.payload_codec import Codec, converter
from gpuaas.encryption.payloads import PayloadKeys
from gpuaas.encryption.providers.keyring import Keyring
from gpuaas.messaging.poison import Unavailable
from gpuaas.provisioning.operation_workflows import ResizeInstance, StartInstance, StopInstance
from gpuaas.provisioning.order import TASK_QUEUE
from gpuaas.provisioning.steps import Steps
from gpuaas.provisioning.workflows import Look, ProvisionInstance, ReleaseInstance, SettleInstance
from gpuaas.settings import ConfigurationError, ProvisioningSecrets, ProvisioningSettings

NAMESPACE = "gpuaas"
WORKFLOWS = (
    ProvisionInstance,
    StopInstance,
    StartInstance,
    ResizeInstance,
    ReleaseInstance,
    SettleInstance,
    Look,
)
CONNECT_SECONDS = 5.0
LOOK_SECONDS = 2.0
RETRY_SECONDS = 0.5
# Until a step that is under way is given back, for another process to begin it again.
SHUTDOWN_SECONDS = 5.0
ACTIVITIES_AT_ONCE = 64
# A workflow's next task is offered to the process that has it in memory; after so long, which is when that one was killed, to
# whoever asks.
STICKY_SECONDS = 2.0
# How often a step that goes on is said to, several times before its silence is taken for a death.
HEARTBEAT_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Temporal:
    """The connection and the worker of this process."""

    def __init__(
        self, settings: ProvisioningSettings, secrets: ProvisioningSecrets, activities: list[Callable[..., Any]]
    ) -> None:
        """Raises ConfigurationError when the certificate cannot be read."""
        self._settings = settings
        self._tls = client_tls(settings)
        self._activities = activities
        self.codec = codec_of(secrets)
        self.steps = Steps()
        self._identity = f"{os.getpid()}@{socket.gethostname()}"
        self._client: Client | None = None
        self._fault: str | None = "not reachable (no answer yet)"

    def client(self) -> Client:
        """To start workflows. Raises Unavailable while there is no connection."""
        if self._client is None:
            raise Unavailable(f"Temporal is {self._fault}")
        return self._client

    def fault(self) -> str | None:
        """What keeps workflows from going on, or None: the server knows this process as one that takes their tasks."""
        return self._fault

    async def run(self) -> None:
        """Work for as long as the process lives; a fault of the server is waited out."""
        while True:
            try:
                client = await asyncio.wait_for(
                    connect(self._settings, self._tls, self._identity, self.codec), CONNECT_SECONDS
                )
                self._client = client
                await self._work(client)
            except (RPCError, RuntimeError, TimeoutError) as error:
                self._failed(error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _work(self, client: Client) -> None:
        worker = create_worker(client, self._activities, interceptors=[self.steps])
        running = asyncio.create_task(worker.run())
        looking = asyncio.create_task(self._look(client))
        try:
            await asyncio.wait([running, looking], return_when=asyncio.FIRST_COMPLETED)
            for task in (running, looking):
                if task.done():
                    task.result()
        finally:
            looking.cancel()
            if not running.done():
                await worker.shutdown()
            with suppress(Exception):
                await running

    async def _look(self, client: Client) -> None:
        """Ask again and again who takes tasks of the queue."""
        while True:
            try:
                if self._identity in await pollers(client):
                    self._fault = None
                else:
                    self._fault = "not asked for tasks by this process yet"
            except RPCError as error:
                self._failed(error)
            await asyncio.sleep(LOOK_SECONDS if self._fault is None else RETRY_SECONDS)

    def _failed(self, error: Exception) -> None:
        said = f"not reachable ({type(error).__name__}: {error})"
        if said != self._fault:
            _log.warning("Temporal", extra={"fields": {"cause": said}})
        self._fault = said


def create_worker(
    client: Client,
    activities: Sequence[Callable[..., Any]],
    task_queue: str = TASK_QUEUE,
    interceptors: Sequence[Interceptor] = (),
    workflows: Sequence[type] = WORKFLOWS,
) -> Worker:
    """What takes the tasks of a queue when it is run."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=workflows,
        activities=activities,
        interceptors=interceptors,
        max_concurrent_activities=ACTIVITIES_AT_ONCE,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=STICKY_SECONDS),
        max_heartbeat_throttle_interval=timedelta(seconds=HEARTBEAT_SECONDS),
        graceful_shutdown_timeout=timedelta(seconds=SHUTDOWN_SECONDS),
    )


def codec_of(secrets: ProvisioningSecrets) -> Codec:
    """What seals all that goes to Temporal, and opens what comes back."""
    return Codec(PayloadKeys.of(Keyring.parse(secrets.payload_keyring.encode(), "payload_keyring")))


async def connect(settings: ProvisioningSettings, tls: TLSConfig, identity: str, codec: Codec) -> Client:
    """A connection. Raises RuntimeError, which is what the client says of a server that is not there."""
    target = f"{settings.temporal_host}:{settings.temporal_port}"
    return await Client.connect(
        target,
        namespace=NAMESPACE,
        tls=tls,
        identity=identity,
        interceptors=tracing.temporal(),
        data_converter=converter(codec),
    )


async def pollers(client: Client) -> set[str]:
    """The identities of the processes that take the tasks of our queue. Raises RPCError."""
    answer = await client.workflow_service.describe_task_queue(
        service.DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=queues.TaskQueue(name=TASK_QUEUE),
            task_queue_type=enums.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        ),
        timeout=timedelta(seconds=CONNECT_SECONDS),
    )
    return {poller.identity for poller in answer.pollers}


def client_tls(settings: ProvisioningSettings) -> TLSConfig:
    """Who this process is to Temporal. Raises ConfigurationError."""
    directory = settings.temporal_certificate
    try:
        return TLSConfig(
            server_root_ca_cert=(directory / "ca.crt").read_bytes(),
            client_cert=(directory / "tls.crt").read_bytes(),
            client_private_key=(directory / "tls.key").read_bytes(),
            domain=settings.temporal_host,
        )
    except OSError:
        raise ConfigurationError(
            "GPUAAS_TEMPORAL_CERTIFICATE is not a directory with a readable tls.crt, tls.key and ca.crt"
        ) from None
