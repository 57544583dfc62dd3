"""See that Temporal's web UI of an instance shows carol the namespace of the platform, lets nobody change it, and lets alice see nothing.

.venv/bin/python tests/instances/temporal_ui.py STATE_DIR
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import Credentials, bare, walk
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client

# What each status stands for: carol has role platform, alice has not.
WANTED: dict[str, dict[str, int]] = {
    "carol": {"page": 200, "namespace": 200, "terminate": 405},
    "alice": {"page": 403, "namespace": 401, "terminate": 401},
}


def seen(state_dir: Path, url: str, user: str) -> dict[str, int]:
    """What a browser of ``user`` is answered, after the log-in that the UI led it to."""
    secrets: dict[str, Any] = yaml.safe_load((state_dir / "secrets" / "secrets.yml").read_text())
    api = f"{url}/api/v1/namespaces/gpuaas"
    with client(state_dir / "tls" / "ca.crt") as http:
        if (status := http.get(api).status_code) != 401:
            raise SystemExit(f"{api} answers a stranger with {status}")
        page, reached = walk(http, f"{url}/", Credentials(user, secrets[f"user_{user}_password"]))
        if not str(reached).startswith(f"{url}/"):
            raise SystemExit(f"the log-in of {user} ended at {bare(reached)}")
        http.get(f"{url}/healthz")
        token = {"X-CSRF-Token": http.cookies.get("_csrf") or ""}
        terminated = http.post(f"{api}/workflows/none/terminate", json={}, headers=token)
        return {"page": page.status_code, "namespace": http.get(api).status_code, "terminate": terminated.status_code}


def main(directory: str) -> int:
    """0 when everybody sees what is theirs."""
    state_dir = Path(directory)
    contract = json.loads((state_dir / "rendered" / "contract.json").read_text())
    found = {user: seen(state_dir, contract["endpoints"]["temporal"]["url"], user) for user in WANTED}
    print(f"temporal-ui: {json.dumps(found)}")
    return 0 if found == WANTED else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
