"""The ingress of the project: what it keeps from those behind it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml
from ansible_collections.gpuaas.parity.tests import slow_bodies

from .running import Running

_OPEN_REQUESTS = Path(__file__).with_name("open_requests.py")


def test_who_sends_slowly_holds_up_nobody(running: Running) -> None:
    with slow_bodies.crowd(running.contract, running.state_dir / "tls" / "ca.crt") as (bodies, _one):
        # In less than the ingress gives them up.
        assert bodies.served_in(5) == 401


def test_an_endpoint_has_no_more_requests_in_flight_than_it_may_from_whatever_many_addresses(running: Running) -> None:
    routes = yaml.safe_load((running.state_dir / "rendered" / "files" / "traefik-routes" / "routes.yml").read_text(encoding="utf-8"))
    limits = {name: each["inFlightReq"]["amount"] for name, each in routes["http"]["middlewares"].items() if "inFlightReq" in each}
    most, of_source = limits["in-flight"], limits["in-flight-of-source"]
    each = of_source - 32
    # Some more than may be, because those before are counted when the ingress gets to them.
    sources = (most + 32) // each + 1
    ingress = running.containers["traefik"]
    (port,) = (inside.removesuffix("/tcp") for inside, published in ingress["NetworkSettings"]["Ports"].items() if published)
    # Only from within its network do requests have addresses of their own: outside, all come from the network's gateway.
    network = ["docker", "run", "--rm", "--interactive", f"--network=container:{ingress['Id']}", "--entrypoint=/opt/gpuaas/bin/python"]
    asked = ["-", running.contract["endpoints"]["web"]["host"], port, str(sources), str(each)]
    script = _OPEN_REQUESTS.read_text(encoding="utf-8")
    argv = [*network, running.containers["api"]["Config"]["Image"], *asked]
    answered = subprocess.run(argv, input=script, capture_output=True, text=True, check=True, timeout=60).stdout
    assert answered.startswith("HTTP/1.1 429 "), answered
