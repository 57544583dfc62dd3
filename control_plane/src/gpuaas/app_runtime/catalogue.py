"""What can be asked for, and what is run for it on the fleet."""

from __future__ import annotations

from gpuaas.api.models import Workload

IMAGES: dict[str, str] = {Workload.NOTEBOOK: "notebook:4.4", Workload.INFERENCE: "inference:0.11"}
