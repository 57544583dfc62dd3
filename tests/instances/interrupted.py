"""Begin ``make kind-parity-up`` for an instance and interrupt it, as Ctrl-C does, once the cluster is there.

.venv/bin/python tests/instances/interrupted.py NAME
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

from ansible_collections.gpuaas.parity.tests.verbs.run import command, environment
from ansible_collections.gpuaas.parity.tests.verbs.stream import ROOT

STEP = "cluster: Create or repair the cluster"
# A worker that dies while it hands over its result keeps the lock that ansible-core then waits for
# (StrategyBase.cleanup): whoever sits there presses Ctrl-C again.
PATIENCE = 30.0


def main(instance: str) -> int:
    """0 when the run ended as an interrupted one does."""
    argv = command("kind-parity-up", INSTANCE=instance)
    last, again = {}, None
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment(), start_new_session=True) as process:
        for line in process.stdout or ():
            last = json.loads(line)
            if (last.get("step"), last.get("status")) == (STEP, "changed"):
                os.killpg(process.pid, signal.SIGINT)
                again = threading.Timer(PATIENCE, os.killpg, (process.pid, signal.SIGINT))
                again.start()
        if again:
            again.cancel()
    return 0 if process.returncode and last.get("reason") == "RUN_INTERRUPTED" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
