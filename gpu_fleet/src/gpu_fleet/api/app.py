"""The fleet's API as an ASGI application."""

from __future__ import annotations

from fastapi import FastAPI

from gpu_fleet import __version__, problems
from gpu_fleet.api import models, routes
from gpu_fleet.fleet import Fleet
from gpu_fleet.openapi import document

DESCRIPTION = (
    "Nodes with GPUs, and reservations of them. What takes its time is accepted with 202, and its end is seen in the "
    "reservation. Errors are problem details (RFC 9457); their code is stable."
)


def create(fleet: Fleet | None) -> FastAPI:
    """The application; without a fleet it only tells its contract."""
    app = FastAPI(
        title="GPU fleet",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Validation failures and exceptions are logged by us, without their input.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.fleet = fleet
    problems.install(app)
    app.include_router(routes.router)
    document(app, models.Problem, bearer=True)
    return app
