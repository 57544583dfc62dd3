"""Begin ``make kind-parity-up`` for an instance and interrupt it, as Ctrl-C does, once the cluster is there.

.venv/bin/python tests/instances/interrupted.py NAME
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from ansible_collections.gpuaas.parity.tests.verbs.run import command, environment
from ansible_collections.gpuaas.parity.tests.verbs.stream import ROOT

STEP = "cluster: Create or repair the cluster"


def main(instance: str) -> int:
    """0 when the run ended as an interrupted one does."""
    argv = command("kind-parity-up", INSTANCE=instance)
    last = {}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment(), start_new_session=True) as process:
        for line in process.stdout or ():
            last = json.loads(line)
            if (last.get("step"), last.get("status")) == (STEP, "changed"):
                os.killpg(process.pid, signal.SIGINT)
    return 0 if process.returncode and last.get("reason") == "RUN_INTERRUPTED" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
