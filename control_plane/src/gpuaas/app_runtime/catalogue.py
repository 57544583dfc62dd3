"""What can be asked for, and what is run for it on the fleet."""

from __future__ import annotations

from gpuaas.api.models import Workload


class UnknownWorkload(Exception):  # noqa: N818  # what it is
    """One that this version does not know: an API that is newer takes it already."""


IMAGES: dict[str, str] = {Workload.NOTEBOOK: "notebook:4.4", Workload.INFERENCE: "inference:0.11"}


def image_of(workload: str) -> str:
    """What is run for it. Raises UnknownWorkload."""
    try:
        return IMAGES[workload]
    except KeyError:
        raise UnknownWorkload(workload) from None
