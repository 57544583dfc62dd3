"""``gpu-fleet serve``, ``status``, ``fault``, ``clock``, ``ledger``, ``forget`` and ``openapi``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from collections.abc import Sequence
from typing import Any

from gpu_fleet import __version__, client, settings
from gpu_fleet.settings import ConfigurationError, Settings

EX_CONFIG = 78  # sysexits.h: a restart does not help, the configuration has to change
EX_UNAVAILABLE = 69
EX_IOERR = 74
BASE = "/simulation/v1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        match given.command:
            case "openapi":
                return _openapi(given.simulation)
            case "serve":
                return _serve()
            case "status":
                return _status()
            case command:
                return _simulation(command, given)
    except ConfigurationError as error:
        print(f"gpu-fleet {given.command}: configuration: {error}", file=sys.stderr)
        return EX_CONFIG
    except client.AskError as error:
        print(f"gpu-fleet {given.command}: {error}", file=sys.stderr)
        return EX_UNAVAILABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gpu-fleet", description="A simulated GPU fleet.")
    parser.add_argument("--version", action="version", version=f"gpu-fleet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("serve", help="serve the fleet")
    commands.add_parser("status", help="ask a running fleet, as its callers do, what it has")
    fault = commands.add_parser("fault", help="set faults and take them back")
    actions = fault.add_subparsers(dest="action", required=True, metavar="action")
    setting = actions.add_parser("set", help="set a fault, and print its id")
    setting.add_argument("fault", help='JSON, such as {"kind": "node_lost", "node": "gpu-01"}')
    setting.add_argument("--id", default=None, help="by which it is taken back; made where it is not given")
    actions.add_parser("list", help="show what is set")
    clearing = actions.add_parser("clear", help="take faults back")
    clearing.add_argument("id", nargs="?", help="this one; otherwise all but those of the file")
    clock = commands.add_parser("clock", help="show how fast time passes, or set it")
    clock.add_argument("speed", nargs="?", type=float)
    ledger = commands.add_parser("ledger", help="print every effect in order, one a line")
    ledger.add_argument("--after", type=int, default=0, help="number of the last one that is known")
    commands.add_parser("forget", help="forget every reservation")
    document = commands.add_parser("openapi", help="print the contract of the API")
    document.add_argument("--simulation", action="store_true", help="that of the simulation")
    return parser


def _serve() -> int:
    read = settings.read(os.environ)
    secrets = settings.read_secrets(read.credentials)
    # The other commands only ask; they need none of this.
    from gpu_fleet import tracing
    from gpu_fleet.process import serve
    from gpu_fleet.store import StoreError

    tracing.begin(os.environ)
    try:
        return serve(read, secrets)
    except StoreError as error:
        print(f"gpu-fleet serve: store: {error}", file=sys.stderr)
        return EX_IOERR


def _status() -> int:
    read = settings.read(os.environ)
    secrets = settings.read_secrets(read.credentials)
    nodes = client.api(read, secrets, "/v1/nodes")["items"]
    capacity = client.api(read, secrets, "/v1/capacity")["items"]
    free = {its["gpu_type"]: its["free"] for its in capacity}
    print(json.dumps({"nodes": {its["name"]: its["state"] for its in nodes}, "free": free}))
    return 0


def _simulation(command: str, given: argparse.Namespace) -> int:
    read = settings.read(os.environ)
    match command, getattr(given, "action", None):
        case "fault", "set":
            identity = given.id or uuid.uuid4().hex
            client.simulation(read, "PUT", f"{BASE}/faults/{identity}", _json(given.fault))
            print(identity)
        case "fault", "clear":
            client.simulation(read, "DELETE", f"{BASE}/faults" + (f"/{given.id}" if given.id else ""))
        case "fault", _:
            print(json.dumps(client.simulation(read, "GET", f"{BASE}/faults")))
        case "clock", _:
            wanted = None if given.speed is None else {"speed": given.speed}
            print(json.dumps(client.simulation(read, "GET" if wanted is None else "PUT", f"{BASE}/clock", wanted)))
        case "ledger", _:
            _print_ledger(read, given.after)
        case _:
            client.simulation(read, "DELETE", f"{BASE}/reservations")
    return 0


def _print_ledger(read: Settings, after: int | None) -> None:
    while after is not None:
        page = client.simulation(read, "GET", f"{BASE}/ledger?after={after}")
        for effect in page["items"]:
            print(json.dumps(effect))
        after = page["next"]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise client.AskError(f"the fault is not JSON: {error}") from None


def _openapi(simulation: bool) -> int:
    from gpu_fleet.api import app as api
    from gpu_fleet.simulation import app as simulated

    created = simulated.create(None) if simulation else api.create(None)
    print(json.dumps(created.openapi(), indent=2))
    return 0
