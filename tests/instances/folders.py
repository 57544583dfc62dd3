"""See that a process reads the folder of its own on a server of secrets and no other, and that the cluster holds no secret of it besides.

PARITY_STATE_DIR=STATE_DIR .venv/bin/python tests/instances/folders.py
"""

from __future__ import annotations

import shlex
import sys

import testinfra
from ansible_collections.gpuaas.parity.tests.acceptance.running import Running

# With the console's own identity.
ASK = """
import os, pathlib
from gpuaas.secrets import SecretError, parse
own, ca = os.environ["GPUAAS_SECRETS_SOURCE"], pathlib.Path(os.environ["GPUAAS_CA_FILE"])
parse(own).provider(ca).get("redis_password")
try:
    parse(own.rpartition("/")[0] + "/api").provider(ca).get("redis_password")
    print("read")
except SecretError as error:
    print(error)
"""
REFUSED = "secret redis_password is not for this machine identity (403)"


def main() -> int:
    """0 when all of it is so."""
    running = Running.load(testinfra.get_host("local://"))
    asking = {name for name, service in running.contract["services"].items() if "identity" in service}
    assert asking, "the platform is up without SECRETS=infisical"

    argv = ["exec", "--namespace=gpuaas-control-plane", "deployment/web", "--", "/opt/gpuaas/bin/python", "-IBc", ASK]
    said = running.host.check_output(f"{running.kubectl_program} {shlex.join(argv)}").strip()
    assert said == REFUSED, said

    # Kustomize ends the names of what it generates in a hash.
    held = {item["metadata"]["name"].rpartition("-")[0] for item in running.objects("secrets")}
    assert {f"{name}-identity" for name in asking} <= held
    assert not (found := {f"{name}-secrets" for name in asking} & held), found
    print(f"secrets: another's folder is refused, and {len(asking)} components have none in the cluster")
    return 0


if __name__ == "__main__":
    sys.exit(main())
