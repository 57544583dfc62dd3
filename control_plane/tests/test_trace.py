"""One trace from the console's form to the timeline, through a real NATS, a real Temporal and the fleet's own process."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from gpuaas import cli, logs, tracing
from gpuaas import database as databases
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumer import Consumer
from gpuaas.notification.process import create_consumer
from gpuaas.provisioning.starter import FILTERS, Starter
from gpuaas.relay.relay import Relay
from gpuaas.settings import ConfigurationError, MigrateSecrets, MigrateSettings, WorkerSettings, read_settings
from gpuaas.tracing import start
from gpuaas.tracing.recording import MAX_WAITING, OpenTelemetry, exporting
from support.browser import Browser
from support.collector import Collector, Span, collecting
from support.fleet import fleet as running_fleet
from support.provisioning import site
from support.streaming import connected, running, stored, until
from support.tls import Authority

SOURCE = Path(__file__).parents[1] / "src"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# What an instance goes through until its page says that it runs, each within or because of the one before.
CHAIN = [
    ("control-plane", "POST /instances"),
    ("control-plane", "POST /v1/instances"),
    ("control-plane", "POST /v1/instances"),
    ("control-plane", "publish instance.requested"),
    ("control-plane", "process instance.requested"),
    ("control-plane", "StartWorkflow:ProvisionInstance"),
    ("control-plane", "StartActivity:record_running"),
    ("control-plane", "RunActivity:record_running"),
    ("control-plane", "publish instance.running"),
    ("control-plane", "process instance.running"),
]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture
def recorded(collector: Collector) -> Iterator[Collector]:
    """What this process does is recorded as of service ``control-plane``."""
    provider = exporting("control-plane", collector.url)
    before = tracing.record(OpenTelemetry(provider))
    yield collector
    tracing.record(before)
    provider.shutdown()


def is_whole(collector: Collector) -> bool:
    """Whether the last span has come and, but for the first, each one's parent: a span is sent when it has ended."""
    known = {span.id for span in collector.spans}
    return bool(collector.named(*CHAIN[-1])) and all(span.parent in known for span in collector.spans if span.parent)


def ancestry(spans: dict[str, Span], last: Span) -> list[Span]:
    """From the first of its trace to ``last``."""
    found = [last]
    while found[0].parent in spans:
        found.insert(0, spans[found[0].parent])
    return found


def test_an_instance_is_one_trace_from_the_form_to_the_timeline(
    recorded: Collector,
    start_web: Callable[..., str],
    api: httpx.Client,
    database: psycopg.Connection,
    worker_environment: Callable[[str], dict[str, str]],
    messaging: Callable[[str], Messaging],
    migrate_settings: MigrateSettings,
    migrate_secrets: MigrateSecrets,
    authority: Authority,
    temporal: str,
    tmp_path: Path,
) -> None:
    with closing(Browser(start_web())) as browser:
        browser.submit(browser.get("/auth/login"), "/instances", name="one", gpu_type="H100", gpu_count="2")
    row = database.execute("SELECT id FROM instances").fetchone()
    assert row
    instance: uuid.UUID = row[0]

    def is_told() -> bool:
        return database.execute("SELECT FROM timeline WHERE type = 'instance.running'").rowcount == 1

    def pool_of(component: str) -> databases.Pool:
        environ = {**worker_environment(component), "GPUAAS_DATABASE_USER": f"gpuaas_{component.split('-')[-1]}"}
        return databases.create_pool(read_settings(WorkerSettings, environ), migrate_secrets.database_password, 2)

    async def flow() -> None:
        async with (
            site(migrate_settings, migrate_secrets.database_password, fleet, temporal) as its,
            its.working(),
            pool_of("outbox-relay") as outbox,
            pool_of("notification") as timelines,
            connected(messaging("outbox-relay")) as relaying,
            connected(messaging("provisioning")) as provisioning,
            connected(messaging("notification")) as notifying,
        ):
            relay = asyncio.create_task(Relay(outbox, relaying).run())
            starter = Consumer(provisioning, "provisioning", FILTERS, Starter(lambda: its.client).handle)
            async with running(starter), running(create_consumer(notifying, timelines)):
                await until(is_told, "the instance")
            relay.cancel()

    directory = tmp_path / "fleet"
    directory.mkdir()
    certificate = authority.issue("127.0.0.1", tmp_path / "fleet-certificate")
    with running_fleet(directory, certificate, **{tracing.ENDPOINT: recorded.url}) as fleet:
        asyncio.run(flow())
        asyncio.run(until(lambda: is_whole(recorded), "a whole trace"))

    (told,) = recorded.named(*CHAIN[-1])
    spans = {span.id: span for span in recorded.spans if span.trace == told.trace}
    assert [(span.service, span.name) for span in ancestry(spans, told)] == CHAIN
    assert [span.name for span in spans.values() if not span.parent] == ["POST /instances"]
    assert {span.trace for span in recorded.spans if span.attributes.get(tracing.INSTANCE_ID) == str(instance)} == {
        told.trace
    }
    (reserved,) = recorded.named("gpu-fleet", "POST /v1/reservations")
    assert [span.name for span in ancestry(spans, reserved)][-3:] == [
        "RunActivity:reserve",
        "POST /v1/reservations",
        "POST /v1/reservations",
    ]
    assert {span.attributes[tracing.STATUS] for span in recorded.named("gpu-fleet", "POST /v1/reservations")} == {201}


@pytest.fixture
def relayed(
    database: psycopg.Connection,
    worker_environment: Callable[[str], dict[str, str]],
    messaging: Callable[[str], Messaging],
    migrate_secrets: MigrateSecrets,
) -> Callable[[], dict[str, str]]:
    """The headers of the message of an event that was written in a trace."""

    async def publish() -> dict[str, str]:
        environ = {**worker_environment("outbox-relay"), "GPUAAS_DATABASE_USER": "gpuaas_relay"}
        settings = read_settings(WorkerSettings, environ)
        async with (
            connected(messaging("outbox-relay")) as its,
            connected(messaging("observer")) as observer,
            databases.create_pool(settings, migrate_secrets.database_password, 1) as pool,
        ):
            await Relay(pool, its).once()
            (message,) = await stored(observer, "instances")
        return dict(message.headers or {})

    def written() -> dict[str, str]:
        identity = uuid.uuid4()
        database.execute(
            "INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at)"
            " VALUES (%s, 'atlas', 'one', 'H100', 1, 'requested', 'alice', now())",
            [identity],
        )
        database.execute(
            "INSERT INTO outbox (event_type, instance_id, payload, traceparent) VALUES (%s, %s, '{}', %s)",
            ["instance.requested", identity, PARENT],
        )
        return asyncio.run(publish())

    return written


def test_a_log_line_in_a_span_has_its_trace(recorded: Collector) -> None:
    record = logging.LogRecord("gpuaas", logging.INFO, __file__, 1, "said", None, None)
    with tracing.span("work", "server", {"traceparent": PARENT}):
        assert json.loads(logs.JsonFormatter().format(record))["trace_id"] == PARENT.split("-")[1]
    assert "trace_id" not in json.loads(logs.JsonFormatter().format(record))


def test_a_trace_goes_on_with_what_its_caller_says_of_it(recorded: Collector) -> None:
    said = {"traceparent": PARENT[:-2] + "00", "tracestate": "vendor=1"}
    with tracing.span("work", "consumer", said):
        carried = tracing.carrier()
    assert carried["tracestate"] == "vendor=1"
    assert carried["traceparent"].split("-")[1] == PARENT.split("-")[1]
    # A caller does not decide that it is not seen.
    assert carried["traceparent"].endswith("-01")


def test_what_a_caller_says_is_bounded(recorded: Collector) -> None:
    said = {"traceparent": PARENT, "tracestate": ",".join(f"vendor{number}={'x' * 100}" for number in range(6))}
    with tracing.span("work", "consumer", said):
        assert list(tracing.carrier()) == ["traceparent"]


def test_what_nobody_asked_for_is_no_trace(recorded: Collector) -> None:
    with tracing.span("GET /v1/reservations", "client"):
        assert tracing.carrier() == {}


@pytest.mark.parametrize("garbage", ["", "00", PARENT + "-more", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "é" * 55])
def test_a_malformed_parent_begins_a_trace(recorded: Collector, garbage: str) -> None:
    with tracing.span("work", "server", {"traceparent": garbage}):
        assert tracing.trace_id() not in (None, PARENT.split("-")[1])


def test_an_address_that_nobody_was_found_at_names_no_span(recorded: Collector, api: httpx.Client) -> None:
    api.get("/no/such/address")
    asyncio.run(until(lambda: bool(recorded.spans), "a span"))
    assert [span.name for span in recorded.spans] == ["GET"]


def test_what_is_recorded_goes_on_through_a_process_that_records_nothing(
    database: psycopg.Connection, relayed: Callable[[], dict[str, str]]
) -> None:
    assert relayed()["traceparent"] == PARENT


# Module and component of each command that goes on.
COMMANDS = {
    "api": ("api.app", "api"),
    "web": ("web.app", "web"),
    "relay": ("relay.process", "outbox-relay"),
    "notification": ("notification.process", "notification"),
    "provisioning": ("provisioning.process", "provisioning"),
    "app-runtime": ("app_runtime.process", "app-runtime"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_records_as_its_component(
    environment: dict[str, str],
    worker_environment: Callable[[str], dict[str, str]],
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def begin(service: str) -> None:
        raise ConfigurationError(f"as {service}")

    monkeypatch.setattr(cli, "begin_to_trace", begin)
    (tmp_path / "secrets" / "fleet_token").write_text("token")
    elsewhere = {
        "GPUAAS_TEMPORAL_HOST": "127.0.0.1",
        "GPUAAS_TEMPORAL_PORT": "1",
        "GPUAAS_TEMPORAL_CERTIFICATE": "/",
        "GPUAAS_FLEET_HOST": "127.0.0.1",
        "GPUAAS_FLEET_PORT": "1",
    }
    for name, value in {**worker_environment("outbox-relay"), **elsewhere}.items():
        monkeypatch.setenv(name, value)
    assert cli.main([command]) == cli.EX_CONFIG
    assert f"as {COMMANDS[command][1]}" in capsys.readouterr().err


@pytest.mark.parametrize("endpoint", ["traces:4318", "ftp://traces:4318", "http://traces:4318/"])
def test_an_endpoint_that_is_no_url_is_refused_by_name(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match=tracing.ENDPOINT):
        start.begin("api", {tracing.ENDPOINT: endpoint})


def test_what_waits_at_the_end_is_sent_at_once(collector: Collector) -> None:
    """A collector that is away is waited for once, and not once for each batch."""
    provider = exporting("any", collector.url)
    tracer = provider.get_tracer("any")
    for _number in range(MAX_WAITING - 1):
        tracer.start_span("work").end()
    provider.shutdown()
    assert len(collector.spans) == MAX_WAITING - 1
    assert collector.requests <= 2  # a timer may have sent some meanwhile


def test_without_a_collector_nothing_is_imported() -> None:
    modules = ", ".join(f"gpuaas.{module}" for module, _component in COMMANDS.values())
    code = (
        "import gpuaas.cli, sys\n"
        "gpuaas.cli.begin_to_trace('any')\n"
        f"import gpuaas.serve, gpuaas.worker, {modules}\n"
        "print([name for name, module in sys.modules.items() if module and name.startswith(('opentelemetry.sdk',"
        " 'opentelemetry.exporter', 'temporalio.contrib', 'requests'))])"
    )
    environ = {"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"]}
    said = subprocess.run([sys.executable, "-c", code], env=environ, check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
