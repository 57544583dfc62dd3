"""See that what validate created through the API of an instance arrived in the stream and was handled, and that nothing waits.

.venv/bin/python tests/instances/events.py STATE_DIR
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(state_dir: str) -> int:
    """0 when the stream has events, and the consumer has none left."""
    relay, consumer = _said(state_dir, "outbox-relay", "relay"), _said(state_dir, "notification", "notification")
    return 0 if relay["streams"]["instances"] and not relay["streams"]["deadletters"] and consumer["waiting"] == 0 else 1


def _said(state_dir: str, component: str, command: str) -> dict[str, Any]:
    kubectl = Path(sys.executable).with_name("kubectl")
    argv = [kubectl, f"--kubeconfig={state_dir}/kubeconfig", "--namespace=gpuaas-async", "exec", f"deployment/{component}", "--"]
    done = subprocess.run([*argv, "/opt/gpuaas/bin/gpuaas", command, "--status"], stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout.strip())
    said: dict[str, Any] = json.loads(done.stdout)
    return said


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
