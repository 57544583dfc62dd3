"""The API of what only a simulation has. It listens on the loopback address of its container, and knows no token."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, FastAPI, Path, Query, Request, Response

from gpu_fleet import __version__, clock, problems
from gpu_fleet.api.models import Problem
from gpu_fleet.fleet import Fleet
from gpu_fleet.openapi import document
from gpu_fleet.simulation import faults, models, switches
from gpu_fleet.simulation.faults import Fault
from gpu_fleet.simulation.switches import FaultError

API = "api"
PAGE = 500
DESCRIPTION = "Faults, the speed of time, and every effect in its order. No policy lets anybody in from outside."


def _fleet(request: Request) -> Fleet:
    found: Fleet = request.app.state.fleet
    return found


Its = Annotated[Fleet, Depends(_fleet)]
Identity = Annotated[str, Path(alias="id", pattern=models.IDENTITY)]
router = APIRouter(prefix="/simulation/v1")


@router.get("/faults", operation_id="listFaults")
def list_faults(fleet: Its) -> models.FaultList:
    """The faults that are set."""
    with fleet.looking() as (db, _now):
        return models.FaultList(
            items=[
                models.FaultSet(id=its.id, source=its.source, fault=its.fault, hits=its.hits, gpu=its.gpu)
                for its in faults.every(db)
            ],
            file_problem=fleet.file_problem,
        )


@router.put("/faults/{id}", operation_id="setFault", status_code=204)
def set_fault(fleet: Its, identity: Identity, fault: Annotated[Fault, Body()]) -> None:
    """Set a fault. It stays until it is taken back, also over a restart."""
    with fleet.looking() as (db, now):
        switches.put(db, fleet.hardware, identity, API, fault, now)


@router.delete("/faults/{id}", operation_id="takeFaultBack", status_code=204)
def take_back(fleet: Its, identity: Identity) -> None:
    """Take a fault back."""
    with fleet.looking() as (db, now):
        switches.take(db, identity, API, now)


@router.delete("/faults", operation_id="takeFaultsBack", status_code=204)
def take_all_back(fleet: Its) -> None:
    """Take all back but those of the file."""
    with fleet.looking() as (db, now):
        for its in faults.every(db):
            if its.source == API:
                switches.take(db, its.id, API, now)


@router.get("/clock", operation_id="getClock")
def get_clock(fleet: Its) -> models.Clock:
    """How fast time passes."""
    return models.Clock(speed=fleet.speed)


@router.put("/clock", operation_id="setClock")
def set_clock(fleet: Its, wanted: models.Clock) -> models.Clock:
    """Let time pass faster or slower from now on; also over a restart, until the setting itself changes."""
    fleet.pace(wanted.speed)
    return wanted


@router.get("/ledger", operation_id="readLedger")
def ledger(fleet: Its, after: Annotated[int, Query(ge=0)] = 0) -> models.Ledger:
    """Every effect on a reservation, in order."""
    with fleet.looking() as (db, _now):
        rows = db.execute("SELECT * FROM ledger WHERE number > ? ORDER BY number LIMIT ?", [after, PAGE]).fetchall()
    items = [
        models.Effect(
            number=row["number"],
            at=clock.shown(row["at"]),
            reservation=UUID(row["reservation"]),
            instance=UUID(row["instance"]),
            effect=row["effect"],
        )
        for row in rows
    ]
    return models.Ledger(items=items, next=items[-1].number if len(items) == PAGE else None)


@router.delete("/reservations", operation_id="forgetReservations", status_code=204)
def forget(fleet: Its) -> None:
    """Forget every reservation, as if the fleet were new: for a reset of the platform's data."""
    fleet.forget()


def create(fleet: Fleet | None) -> FastAPI:
    """The application; without a fleet it only tells its contract."""
    app = FastAPI(
        title="Simulation of the GPU fleet",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.fleet = fleet
    problems.install(app)
    app.add_exception_handler(FaultError, _fault)
    app.include_router(router)
    document(app, Problem, bearer=False)
    return app


async def _fault(_request: Request, error: Exception) -> Response:
    return problems.respond(409, "fault_refused", str(error))
