"""See that the newest instance of a platform is one trace from the console to the timeline, and who sees it in a browser.

.venv/bin/python tests/instances/traces.py INSTANCE MODE
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import Credentials, bare, walk
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client
from ansible_collections.gpuaas.parity.tests.verbs.run import ROOT, run

SERVICES = {"web", "api", "outbox-relay", "provisioning", "gpu-fleet", "notification"}
# What each status stands for: carol has role platform, bob has not.
WANTED: dict[str, dict[str, int]] = {"carol": {"page": 200, "services": 200}, "bob": {"page": 403, "services": 401}}


def printed(instance: str, mode: str, **more: str) -> list[str]:
    """What `make parity-trace` prints."""
    answer = run("parity-trace", INSTANCE=instance, MODE=mode, **more)
    if not answer.ok:
        raise SystemExit(answer.text)
    lines: list[str] = answer.document["printed"]
    return lines


def one_trace(instance: str, mode: str) -> None:
    """The newest trace that begins with the console's form has a span of everybody, and is whole.

    What is asked for later, and what a worker finds by comparing, are traces of their own.
    """
    begun = [line for line in printed(instance, mode) if " web post /instances " in line]
    if not begun:
        raise SystemExit("no trace begins with the form of the console")
    identity = begun[0].split()[-1]
    lines = printed(instance, mode, INSTANCE_ID=identity)
    print("\n".join(lines))
    first = lines[: lines.index("")] if "" in lines else lines
    missing = SERVICES - {word for line in first for word in line.split()}
    if "pieces" in first[0] or missing:
        raise SystemExit(f"instance {identity} is no single trace: {first[0]}, without {sorted(missing)}")
    if not re.search(r"notification .*process instance\.running", "\n".join(first)):
        raise SystemExit(f"the trace of instance {identity} does not end with its timeline")


def seen(state_dir: Path, url: str, user: str) -> dict[str, int]:
    """What a browser of ``user`` is answered, after the log-in that it was led to."""
    secrets: dict[str, Any] = yaml.safe_load((state_dir / "secrets" / "secrets.yml").read_text())
    with client(state_dir / "tls" / "ca.crt") as http:
        page, reached = walk(http, f"{url}/zipkin/", Credentials(user, secrets[f"user_{user}_password"]))
        if not str(reached).startswith(f"{url}/"):
            raise SystemExit(f"the log-in of {user} ended at {bare(reached)}")
        return {"page": page.status_code, "services": http.get(f"{url}/zipkin/api/v2/services").status_code}


def main(instance: str, mode: str) -> int:
    """0 when it is, and everybody sees what is theirs."""
    one_trace(instance, mode)
    state_dir = ROOT / ".parity" / "instances" / instance / mode
    contract = json.loads((state_dir / "rendered" / "contract.json").read_text())
    found = {user: seen(state_dir, contract["endpoints"]["traces"]["url"], user) for user in WANTED}
    print(f"traces: {json.dumps(found)}")
    return 0 if found == WANTED else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
