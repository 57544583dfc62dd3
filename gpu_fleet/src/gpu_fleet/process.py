"""``gpu-fleet serve``: puts the parts together."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from starlette.types import ASGIApp

from gpu_fleet import clock, inventory, logs, probes
from gpu_fleet.api import app as api_app
from gpu_fleet.clock import Wall
from gpu_fleet.edge import Edge
from gpu_fleet.fleet import Fleet
from gpu_fleet.server import EVERY_ADDRESS, Server, configuration
from gpu_fleet.settings import LOOPBACK, Secrets, Settings
from gpu_fleet.simulation import app as simulation_app
from gpu_fleet.simulation.faultfile import FaultFile
from gpu_fleet.simulation.hardware import Hardware
from gpu_fleet.simulation.replies import Lossy
from gpu_fleet.store import Store

FILE = "fleet.db"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Applications:
    """What each port serves."""

    api: ASGIApp
    simulation: ASGIApp
    probes: ASGIApp


def applications(settings: Settings, secrets: Secrets, store: Store, wall: Wall) -> Applications:
    """Everything on one store."""
    hardware = Hardware(settings, inventory.build(settings.seed, settings.nodes))
    fleet = Fleet(store, hardware, FaultFile(settings.faults_file, hardware), settings.speed, wall)
    return Applications(
        api=Edge(Lossy(api_app.create(fleet), fleet, settings.seed), secrets.controller_token),
        simulation=Edge(simulation_app.create(fleet), token=None),
        probes=probes.create(fleet),
    )


def serve(settings: Settings, secrets: Secrets) -> int:
    """Serve until told to stop; returns the exit status. Raises ConfigurationError and StoreError."""
    logs.configure(settings.log_level)
    store = Store(settings.data / FILE)
    try:
        served = applications(settings, secrets, store, clock.steady())
        Server(
            configuration(served.api, settings.listen_port, EVERY_ADDRESS, settings.certificate),
            configuration(served.simulation, settings.simulation_port, LOOPBACK, shutdown_seconds=1),
            configuration(served.probes, settings.probe_port, EVERY_ADDRESS, shutdown_seconds=1),
        ).run()
    finally:
        store.close()
    _log.info("stopped")
    return 0
