"""With everything that every deployed identity holds and can read, nobody opens what a tenant sealed.

    .venv/bin/python tests/canary/sweep.py STATE_DIR

The platform is in kind, in security mode PROD, in a lane that provisions, and up. What each role of Postgres, each user of the realm
and each client may read is read; the cache, the data, the logs, the mounts of all pods and all objects of the cluster are taken as a
whole, so whoever reads a part of them has no more. Neither what was sealed is there in plain, nor a key that opens it: each that is
found is tried on the envelope and on the epoch's records, alone and with what it opens. With the key of the member's device, which is
no part of the platform, the same attempt succeeds.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.tests.canary import attack
from ansible_collections.gpuaas.parity.tests.canary.cluster import Cluster, keys, places
from ansible_collections.gpuaas.parity.tests.canary.places import files
from ansible_collections.gpuaas.parity.tests.canary.plant import Planted, planted
from ansible_collections.gpuaas.parity.tests.canary.search import search

# What is known to be mounted somewhere: that it is found, and taken for a key, shows that mounts are read.
_KNOWN = "web_session_key"
_MOUNT = f"--volume={Path(attack.__file__).resolve()}:/attack.py:ro"


def attempt(image: str, its: Planted, found: Iterable[bytes]) -> dict[str, Any]:
    """What can be opened with these keys of what the API serves."""
    texts = [its.served["private"]["envelope"], *its.served["records"]]
    given = json.dumps({"texts": texts, "found": [base64.b64encode(each).decode() for each in sorted(found)]})
    argv = ["docker", "run", "--rm", "--interactive", "--network=none", _MOUNT, "--entrypoint=/opt/gpuaas/bin/python", image]
    done = subprocess.run([*argv, "/attack.py"], input=given, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def main(directory: str) -> int:
    """0 when nobody does."""
    state_dir = Path(directory)
    cluster = Cluster(state_dir, read_contract(state_dir))
    if (mode := cluster.contract["security"]) != "PROD":
        raise SystemExit(f"sweep: the platform is in security mode {mode}")
    with planted(state_dir, cluster.image) as its:
        its.plain["a key"] = known = yaml.safe_load((state_dir / "secrets" / "secrets.yml").read_text())[_KNOWN]
        everything = {place.name: (place, b"".join(place.read())) for place in places(cluster, its.plain["instance"])}
        wrong = search([replace(place, read=partial(list, [read])) for place, read in everything.values()], its)
        envelope = its.served["private"]["envelope"].encode()
        print(f"sweep: the envelope is read by {[name for name, (_place, read) in everything.items() if envelope in read]}")
        if envelope not in everything["role gpuaas"][1]:
            wrong.append("the API's role does not read the envelope: its tables were not read")
        parts = [read for name, (_place, read) in everything.items() if name.startswith(("role", "cache", "tokens", "objects"))]
        found = set[bytes]().union(*map(attack.candidates, keys(cluster, parts)))
        if base64.b64decode(known) not in found:
            wrong.append(f"{_KNOWN}, which is mounted, was not found")
        answer = attempt(cluster.image, its, found)
        wrong += [f"a key of the platform opens: {len(each)} characters" for each in answer["opened"]]
        device = set[bytes]().union(*map(attack.candidates, files(its.device)))
        with_device = attempt(cluster.image, its, device)
        if not any(its.secret["tenant"] in each for each in with_device["opened"]):
            wrong.append("not even the member's device opens it: the attempt proves nothing")
    print(f"sweep: {answer['keys']} keys on {answer['sealed']} sealed parts open {len(answer['opened'])}")
    print(f"sweep: those of the member's device open {len(with_device['opened'])}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
