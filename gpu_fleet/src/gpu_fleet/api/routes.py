"""The fleet's API."""

from __future__ import annotations

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from gpu_fleet.api import documents, models
from gpu_fleet.fleet import Fleet, Outcome
from gpu_fleet.reservations import Operation

_ETAG = re.compile(r'"([0-9]{1,15})"')


def _fleet(request: Request) -> Fleet:
    found: Fleet = request.app.state.fleet
    return found


def _problem(*meanings: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    schema = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": meaning, "content": schema} for status, meaning in meanings}


Its = Annotated[Fleet, Depends(_fleet)]
Identity = Annotated[UUID, Path(alias="id", description="The reservation")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,255}$",
        description="Unique for what is meant, the same with every repetition: the effect comes once",
    ),
]
Match = Annotated[
    str,
    Header(
        alias="If-Match",
        pattern=r'^"[0-9]{1,15}"$',
        description="ETag of the reservation as it was seen; when it has changed since, nothing is done",
    ),
]


def _found(status: int, meaning: str, **headers: str) -> dict[int | str, dict[str, Any]]:
    described = {"ETag": "Of the reservation, for If-Match", **headers}
    return {
        status: {
            "model": models.Reservation,
            "description": meaning,
            "headers": {
                name.replace("_", "-"): {"description": what, "schema": {"type": "string"}}
                for name, what in described.items()
            },
        }
    }


_ANYWHERE = _problem(
    (400, "invalid_request, idempotency_key_missing"),
    (401, "token_missing, token_invalid"),
    (503, "unavailable: try again"),
)
_RESERVING = _problem((409, "no_capacity, instance_reserved, idempotency_conflict"))
_ONE = _problem((404, "not_found"))
_REPLAYED = _found(
    200, "A repetition: the reservation as it is now", Idempotency_Replayed="true, and the request had no effect now"
)
_RESERVED = _found(201, "Reserved", Location="Where the reservation is")
_ACCEPTED = _found(202, "Accepted: poll the reservation")
_READ = _found(200, "The reservation as it is now")
_CHANGING = _problem(
    (404, "not_found"),
    (409, "busy: an operation has not ended yet; wrong_state; idempotency_conflict"),
    (412, "precondition_failed: the reservation has changed, read it again"),
    (428, "precondition_required: If-Match is missing"),
)
router = APIRouter(prefix="/v1", responses=_ANYWHERE)


@router.get("/nodes", operation_id="listNodes")
def nodes(fleet: Its) -> models.NodeList:
    """All nodes, by name, with their GPUs."""
    return documents.node_list(fleet.nodes())


@router.get("/capacity", operation_id="listCapacity")
def capacity(fleet: Its) -> models.CapacityList:
    """How many GPUs of each type there are, and how many are free."""
    return documents.capacity_list(fleet.nodes())


@router.get("/reservations", operation_id="listReservations")
def list_reservations(
    fleet: Its, instance: Annotated[UUID | None, Query(description="Of this instance, also released ones")] = None
) -> models.ReservationList:
    """All reservations that are not released, the oldest first; of an instance also the last released ones, newest first."""
    return documents.reservation_list(fleet.every() if instance is None else fleet.of_instance(str(instance)))


@router.post(
    "/reservations", operation_id="reserve", status_code=201, responses={**_RESERVED, **_REPLAYED, **_RESERVING}
)
def reserve(fleet: Its, body: models.ReservationRequest, key: Key, response: Response) -> models.Reservation:
    """Reserve GPUs of one node. They are the instance's until the reservation is released.

    Where it ``replaces`` another one, the instance has both until that one is released.
    """
    replaces = str(body.replaces) if body.replaces else None
    outcome = fleet.reserve(key, str(body.instance), body.gpu_type, body.gpu_count, replaces)
    response.headers["Location"] = f"/v1/reservations/{outcome.reservation.id}"
    return _answer(outcome, response)


@router.get("/reservations/{id}", operation_id="getReservation", responses={**_READ, **_ONE})
def get_reservation(fleet: Its, identity: Identity, response: Response) -> models.Reservation:
    """A reservation as it is now."""
    return _answer(Outcome(fleet.get(str(identity)), fresh=True), response)


@router.post(
    "/reservations/{id}/storage",
    operation_id="attachStorage",
    status_code=202,
    responses={**_ACCEPTED, **_REPLAYED, **_CHANGING},
)
def storage(
    fleet: Its, identity: Identity, body: models.StorageRequest, key: Key, match: Match, response: Response
) -> models.Reservation:
    """Attach storage, while it is reserved or stopped; done when ``storage.state`` is attached."""
    return _answer(fleet.begin(Operation.STORAGE, str(identity), key, _version(match), body.size_gib), response)


@router.post(
    "/reservations/{id}/start", operation_id="start", status_code=202, responses={**_ACCEPTED, **_REPLAYED, **_CHANGING}
)
def start(fleet: Its, identity: Identity, key: Key, match: Match, response: Response) -> models.Reservation:
    """Start what is reserved or stopped: starting, then running, or failed with a reason."""
    return _answer(fleet.begin(Operation.START, str(identity), key, _version(match)), response)


@router.post(
    "/reservations/{id}/verify",
    operation_id="verify",
    status_code=202,
    responses={**_ACCEPTED, **_REPLAYED, **_CHANGING},
)
def verify(fleet: Its, identity: Identity, key: Key, match: Match, response: Response) -> models.Reservation:
    """Check the GPUs of what runs; done when ``operation`` is null again, and ``health`` has what was found."""
    return _answer(fleet.begin(Operation.VERIFY, str(identity), key, _version(match)), response)


@router.post(
    "/reservations/{id}/workload",
    operation_id="deploy",
    status_code=202,
    responses={**_ACCEPTED, **_REPLAYED, **_CHANGING},
)
def deploy(
    fleet: Its, identity: Identity, body: models.WorkloadRequest, key: Key, match: Match, response: Response
) -> models.Reservation:
    """Deploy a workload on what runs and has none, or one that has crashed; it is there when ``workload.state`` is healthy."""
    return _answer(fleet.begin(Operation.DEPLOY, str(identity), key, _version(match), image=body.image), response)


@router.delete(
    "/reservations/{id}/workload",
    operation_id="remove",
    status_code=202,
    responses={**_ACCEPTED, **_REPLAYED, **_CHANGING},
)
def remove(fleet: Its, identity: Identity, match: Match, response: Response) -> models.Reservation:
    """Remove the workload; done when ``workload`` is null. Where there is none: what it is now, whatever If-Match says."""
    return _answer(fleet.begin(Operation.REMOVE, str(identity), None, _version(match)), response)


@router.post(
    "/reservations/{id}/stop", operation_id="stop", status_code=202, responses={**_ACCEPTED, **_REPLAYED, **_CHANGING}
)
def stop(fleet: Its, identity: Identity, key: Key, match: Match, response: Response) -> models.Reservation:
    """Stop what starts or runs, and its workload: stopping, then stopped. The GPUs stay reserved. Ends another operation."""
    return _answer(fleet.begin(Operation.STOP, str(identity), key, _version(match)), response)


@router.delete(
    "/reservations/{id}", operation_id="release", status_code=202, responses={**_ACCEPTED, **_REPLAYED, **_CHANGING}
)
def release(fleet: Its, identity: Identity, match: Match, response: Response) -> models.Reservation:
    """Release it from any state: releasing, then released, when its GPUs are free. Again: what it is now, whatever If-Match says."""
    return _answer(fleet.begin(Operation.RELEASE, str(identity), None, _version(match)), response)


def _version(match: str) -> int:
    found = _ETAG.fullmatch(match)
    assert found is not None
    return int(found[1])


def _answer(outcome: Outcome, response: Response) -> models.Reservation:
    response.headers["ETag"] = f'"{outcome.reservation.version}"'
    if not outcome.fresh:
        response.status_code = 200
        response.headers["Idempotency-Replayed"] = "true"
    return documents.reservation(outcome.reservation)
