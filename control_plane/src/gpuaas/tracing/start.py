"""Begins to record, in a process that is told who collects; to be called before what serves is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from gpuaas import tracing
from gpuaas.kinds import URL
from gpuaas.settings import ConfigurationError


def begin(service: str, environ: Mapping[str, str] | None = None) -> None:
    """Record the spans of this process as those of ``service``, if somebody collects them. Raises ConfigurationError."""
    endpoint = (os.environ if environ is None else environ).get(tracing.ENDPOINT, "")
    if not endpoint:
        # redis-py imports the SDK wherever it is installed, for metrics that nobody asks it for: 3 MiB and 50 ms.
        sys.modules.setdefault("opentelemetry.sdk.metrics", None)  # type: ignore[arg-type]
        return
    try:
        URL.parse(endpoint)
    except ValueError:
        raise ConfigurationError(f"{tracing.ENDPOINT} is not {URL.means}") from None
    # The SDK and its exporter are imported by nobody else.
    from gpuaas.tracing.recording import OpenTelemetry, exporting

    tracing.record(OpenTelemetry(exporting(service, endpoint)))
