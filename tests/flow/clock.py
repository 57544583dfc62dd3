"""A clock that is minutes wrong, for one component.

Containers share the machine's clock, and time namespaces leave CLOCK_REALTIME alone (time_namespaces(7)). So the component is
started with libfaketime, which answers for the C library (https://github.com/wolfcw/libfaketime): right for Python and Rust,
without effect on Go, which asks the kernel. Monotonic time, by which things are waited for, stays as it is.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running, docker

from .engine import last, name
from .plan import Fault

_INSIDE = "/run/faketime.so"
_LABEL = "com.docker.compose.project"


class NoLibraryError(LookupError):
    """The library is not on this machine."""


def skew(project: Running, fault: Fault) -> None:
    """Start a component again with another time, and at the end as it was."""
    assert isinstance(fault.to, dict)
    component, minutes = str(fault.to["of"]), fault.to["minutes"]
    wrong = {
        "environment": {"LD_PRELOAD": _INSIDE, "FAKETIME": f"{minutes:+}m", "FAKETIME_DONT_FAKE_MONOTONIC": "1"},
        "volumes": [{"type": "bind", "source": str(library()), "target": _INSIDE, "read_only": True}],
    }
    labels = json.loads(docker("inspect", "--format={{json .Config.Labels}}", name(project, component)))
    files = str(labels[f"{_LABEL}.config_files"]).split(",")
    base = ["compose", f"--project-name={labels[_LABEL]}", f"--project-directory={labels[f'{_LABEL}.working_dir']}", "--profile=*"]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as override:
        json.dump({"services": {component: wrong}}, override)
        override.flush()
        try:
            _start(base, [*files, override.name], component)
            last(fault.seconds)
        finally:
            _start(base, files, component)


def library() -> Path:
    """libfaketime of this machine, which has no newer C library than the images. Raises NoLibraryError."""
    if found := sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")):
        return found[0]
    raise NoLibraryError("no libfaketime, which skews clocks: apt-get install faketime")


def _start(base: list[str], files: list[str], component: str) -> None:
    try:
        docker(*base, *(f"--file={file}" for file in files), "up", "--detach", "--no-deps", "--no-build", "--pull=never", component)
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{component} was not started: {error.stderr.strip()}") from None
