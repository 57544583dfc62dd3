"""``gpuaas api``, ``web``, ``relay``, ``notification``, ``provisioning``, ``app-runtime``, ``journal``, ``deadletters``, ``migrate`` and ``seed``,
and on a member's device ``member``, ``epoch``, ``seal`` and ``open``."""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gpuaas import __version__, configuration, device, waiting
from gpuaas.encryption import start
from gpuaas.encryption.refusal import RefusedError
from gpuaas.secrets import Used
from gpuaas.settings import (
    ApiSecrets,
    ApiSettings,
    ConfigurationError,
    FleetSecrets,
    FleetSettings,
    JournalSecrets,
    JournalSettings,
    MigrateSecrets,
    MigrateSettings,
    NotYetError,
    ProvisioningSecrets,
    ProvisioningSettings,
    WebSecrets,
    WebSettings,
    WorkerSecrets,
    WorkerSettings,
    read_secrets,
    read_settings,
    tls_context,
)
from gpuaas.tracing.start import begin as begin_to_trace

if TYPE_CHECKING:
    from socket import socket

    from gpuaas.service import Service

ALL_LETTERS = "all"
TERMINATION_LOG = Path("/dev/termination-log")
EX_UNAVAILABLE = 69  # sysexits.h: what it needs is not there now
EX_CONFIG = 78  # a restart does not help, the configuration has to change


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="gpuaas", description="Reference GPUaaS control plane.")
    parser.add_argument("--version", action="version", version=f"gpuaas {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, does in (("api", "serve the REST API"), ("web", "serve the web console")):
        serving = commands.add_parser(name, help=does)
        serving.add_argument(
            "--reload", action="store_true", help="for development: start again when the source changes"
        )
    relaying = commands.add_parser("relay", help="publish the events of the outbox")
    instead = relaying.add_mutually_exclusive_group()
    instead.add_argument(
        "--status", action="store_true", help="only print what waits and whether the streams are right, then exit"
    )
    instead.add_argument(
        "--rebuild", action="store_true", help="publish all that the outbox holds again, for a wiped stream, then exit"
    )
    notifying = commands.add_parser("notification", help="write the timeline of each instance")
    notifying.add_argument(
        "--status", action="store_true", help="only print what waits and whether the consumer is right, then exit"
    )
    provisioning = commands.add_parser("provisioning", help="take requested instances to GPUs that run, and back")
    provisioning.add_argument(
        "--status", action="store_true", help="only run a workflow to its end and print what was seen, then exit"
    )
    workloads = commands.add_parser("app-runtime", help="deploy what instances run besides, and watch it")
    workloads.add_argument(
        "--status", action="store_true", help="only print how workloads do and where the fleet disagrees, then exit"
    )
    journal = commands.add_parser("journal", help="write every event into the chain of its project")
    instead = journal.add_mutually_exclusive_group()
    instead.add_argument(
        "--status", action="store_true", help="only print what waits and whether the store takes entries, then exit"
    )
    instead.add_argument(
        "--verify", action="store_true", help="only read every chain up to the head that the database knows, then exit"
    )
    instead.add_argument(
        "--restore",
        action="store_true",
        help="only write lost entries again from the outbox, and say which are lost for good, then exit",
    )
    journal.add_argument("--project", help="verify or restore the chain of that one")
    letters = commands.add_parser("deadletters", help="print what consumers gave up, then exit")
    letters.add_argument(
        "--replay",
        metavar="ID",
        type=_letter,
        help="send that one, or `all`, to the consumer that gave it up once more",
    )
    migrating = commands.add_parser("migrate", help="bring the database to this version's schema, then exit")
    migrating.add_argument("--version", action="store_true", help="only print the number of that schema")
    commands.add_parser("seed", help="add the demo instances that are not there yet, then exit")
    device.add(commands)
    given = parser.parse_args(arguments)
    try:
        match given.command:
            case "migrate":
                return _print_version() if given.version else _migrate()
            case "seed":
                return _seed()
            case "relay":
                return _relay(given.status, given.rebuild)
            case "notification":
                return _notification(given.status)
            case "provisioning":
                return _provisioning(given.status)
            case "app-runtime":
                return _app_runtime(given.status)
            case "journal":
                return _journal(given)
            case command if command in device.NAMES:
                return device.run(given)
            case "deadletters":
                return _deadletters(given.replay)
            case command:
                return _reload(command) if given.reload else _serve(command)
    except ConfigurationError as error:
        status = EX_UNAVAILABLE if isinstance(error, NotYetError) else EX_CONFIG
        return _refused(f"gpuaas {given.command}: configuration: {error}", status)
    except RefusedError as error:
        return _refused(f"gpuaas {given.command}: refused: {error}", EX_CONFIG)


def _refused(why: str, status: int) -> int:
    """Say why it does not start: on standard error, and to the kubelet, which shows it as the container's state.

    Where there is a kubelet there is its file (kubernetes.io, "Determine the Reason for Pod Failure").
    """
    print(why, file=sys.stderr)
    with suppress(OSError):
        if TERMINATION_LOG.exists():
            TERMINATION_LOG.write_text(why)
    return status


def service(command: str, probes: socket | None = None) -> Service:
    """What ``api`` or ``web`` serves; ``probes`` is a socket of its probes that is bound already. Raises ConfigurationError."""
    return _api(probes) if command == "api" else _web(probes)


def _serve(command: str) -> int:
    serving = service(command)
    from gpuaas.serve import serve

    return serve(serving)


def _reload(command: str) -> int:
    # Read here only to be refused at once: the serving child reads it for itself.
    settings, *_rest = _api_configuration() if command == "api" else _web_configuration()
    from gpuaas.reload import supervise

    return supervise(command, (settings.listen_port, settings.probe_port), settings.log_level)


def _api_configuration(probes: socket | None = None) -> tuple[ApiSettings, ApiSecrets, start.Keys, Used]:
    settings = read_settings(ApiSettings, os.environ)
    keys = start.of_api(settings)
    secrets, used = waiting.until(_reading(ApiSecrets, settings), settings, probes)
    return settings, secrets, keys, used


def _web_configuration(probes: socket | None = None) -> tuple[WebSettings, WebSecrets, start.Keys, Used]:
    settings = read_settings(WebSettings, os.environ)
    keys = start.of_web(settings)
    secrets, used = waiting.until(_reading(WebSecrets, settings), settings, probes)
    return settings, secrets, keys, used


def _reading[T: MigrateSecrets | WebSecrets](
    cls: type[T], settings: MigrateSettings | WebSettings
) -> Callable[[], tuple[T, Used]]:
    """Reads the secrets of a process, and says who gave them. What lasts waits for them, what only prints does not."""
    provider = settings.secrets_source.provider(settings.ca_file)
    return lambda: (read_secrets(cls, provider), provider.used())


def _api(probes: socket | None) -> Service:
    settings, secrets, keys, used = _api_configuration(probes)
    tls = tls_context(settings.ca_file)
    described = configuration.describe("api", settings, secrets, os.environ, keys, used)
    begin_to_trace("api")
    # Each command imports its own half only; what one does not use costs it no memory.
    gc.disable()
    from gpuaas.api.app import create_service

    return create_service(settings, secrets, tls, described)


def _web(probes: socket | None) -> Service:
    settings, secrets, keys, used = _web_configuration(probes)
    tls = tls_context(settings.ca_file)
    described = configuration.describe("web", settings, secrets, os.environ, keys, used)
    begin_to_trace("web")
    gc.disable()
    from gpuaas.web.app import create_service

    return create_service(settings, secrets, tls, described)


def _relay(status: bool, rebuild: bool) -> int:
    settings = read_settings(WorkerSettings, os.environ)
    reading = _reading(WorkerSecrets, settings)
    if status:
        from gpuaas.relay import status as relay_status

        return relay_status.run(settings, reading()[0])
    if rebuild:
        from gpuaas.relay import rebuild as relay_rebuild

        return relay_rebuild.run(settings, reading()[0])
    secrets, used = waiting.until(reading, settings)
    from gpuaas import worker
    from gpuaas.relay.process import NAME, create_worker

    begin_to_trace(NAME)
    return worker.run(create_worker(settings, secrets), used)


def _notification(status: bool) -> int:
    settings = read_settings(WorkerSettings, os.environ)
    from gpuaas.notification import process

    if status:
        from gpuaas.messaging import status as consumer_status

        return consumer_status.run(settings, process.NAME, process.FILTER_SUBJECTS)
    secrets, used = waiting.until(_reading(WorkerSecrets, settings), settings)
    from gpuaas import worker

    begin_to_trace(process.NAME)
    return worker.run(process.create_worker(settings, secrets), used)


def _provisioning(status: bool) -> int:
    settings = read_settings(ProvisioningSettings, os.environ)
    reading = _reading(ProvisioningSecrets, settings)
    if status:
        from gpuaas.provisioning import status as provisioning_status

        return provisioning_status.run(settings, reading()[0])
    secrets, used = waiting.until(reading, settings)
    from gpuaas import worker
    from gpuaas.provisioning.process import create_worker
    from gpuaas.provisioning.status import NAME

    begin_to_trace(NAME)
    return worker.run(create_worker(settings, secrets, tls_context(settings.ca_file)), used)


def _app_runtime(status: bool) -> int:
    settings = read_settings(FleetSettings, os.environ)
    reading = _reading(FleetSecrets, settings)
    tls = tls_context(settings.ca_file)
    if status:
        from gpuaas.app_runtime import status as workload_status

        return workload_status.run(settings, reading()[0], tls)
    secrets, used = waiting.until(reading, settings)
    from gpuaas import worker
    from gpuaas.app_runtime.process import create_worker

    begin_to_trace("app-runtime")
    return worker.run(create_worker(settings, secrets, tls), used)


def _journal(given: argparse.Namespace) -> int:
    settings = read_settings(JournalSettings, os.environ)
    needed = MigrateSecrets if settings.journal_store.is_file else JournalSecrets
    reading = _reading(needed, settings)
    if given.status or given.verify or given.restore:
        from gpuaas.journal import commands

        secrets, _used = reading()
        if given.status:
            return commands.status(settings, secrets)
        return (commands.verify if given.verify else commands.restore)(settings, secrets, given.project)
    secrets, used = waiting.until(reading, settings)
    from gpuaas import worker
    from gpuaas.journal.process import create_worker

    return worker.run(create_worker(settings, secrets), used)


def _letter(text: str) -> str:
    if text != ALL_LETTERS and not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise argparse.ArgumentTypeError(f"neither an id of the list nor {ALL_LETTERS}")
    return text


def _deadletters(replay: str | None) -> int:
    settings = read_settings(WorkerSettings, os.environ)
    from gpuaas import deadletters

    return deadletters.run(settings, replay)


def _migrate() -> int:
    settings = read_settings(MigrateSettings, os.environ)
    secrets, _used = waiting.briefly(_reading(MigrateSecrets, settings))
    from gpuaas.migrate import run

    return run(settings, secrets)


def _print_version() -> int:
    from gpuaas.migrate import expected_version

    print(expected_version())
    return 0


def _seed() -> int:
    settings = read_settings(ApiSettings, os.environ)
    start.of_api(settings)
    secrets, _used = waiting.briefly(_reading(ApiSecrets, settings))
    from gpuaas.seed import run

    return run(settings, secrets)
