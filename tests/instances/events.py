"""See that what validate created through the API of an instance arrived in the stream, and that nothing waits.

.venv/bin/python tests/instances/events.py STATE_DIR
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def main(state_dir: str) -> int:
    """0 when the stream has events."""
    kubectl = Path(sys.executable).with_name("kubectl")
    argv = [kubectl, f"--kubeconfig={state_dir}/kubeconfig", "--namespace=gpuaas-async", "exec", "deployment/outbox-relay", "--"]
    done = subprocess.run([*argv, "/opt/gpuaas/bin/gpuaas", "relay", "--status"], stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout.strip())
    return 0 if done.returncode == 0 and json.loads(done.stdout)["streams"]["instances"] else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
