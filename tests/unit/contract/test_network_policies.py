"""Who may connect to whom: what the generated NetworkPolicies allow, evaluated as Kubernetes says they are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform, load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import Rendering, render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract import made_up, reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import Platform as SmallPlatform
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAME = "app.kubernetes.io/name"
NAMESPACE = "kubernetes.io/metadata.name"
Object = dict[str, Any]
Pod = tuple[str, str]
"""Namespace and label."""
Edge = tuple[str, str, int]
"""Component, component, port."""


class Policies:
    """The NetworkPolicies of a rendering, evaluated (kubernetes.io, "Network Policies": what no policy selects is open)."""

    def __init__(self, rendering: Rendering, platform: Platform) -> None:
        self.services = {n: s for n, s in rendering.contract["services"].items() if "provided_by" not in s}
        self.all: list[Object] = []
        for name, text in rendering.tree.items():
            if name.endswith("/policies.yaml"):
                self.all += yaml.safe_load_all(text)
        self.named = {
            name: {
                port["name"]: int(port["containerPort"])
                for manifest in platform.components[name].base.of_kind("Deployment", "StatefulSet", "DaemonSet")
                for container in manifest.data["spec"]["template"]["spec"]["containers"]
                for port in container.get("ports", ())
            }
            for name in self.services
        }

    def pod(self, component: str) -> Pod:
        return self.services[component]["namespace"], component

    def allows(self, source: Pod, target: Pod | str, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection is made: ``target`` is a pod, or an address outside."""
        into = isinstance(target, str) or self._allows(target, "Ingress", "from", source, target, port, protocol)
        return into and self._allows(source, "Egress", "to", target, target, port, protocol)

    def _allows(self, of: Pod, direction: str, side: str, other: Pod | str, target: Pod | str, port: int, protocol: str) -> bool:
        found = [p["spec"] for p in self.all if p["metadata"]["namespace"] == of[0] and self._selects(p["spec"]["podSelector"], of[1])]
        found = [spec for spec in found if direction in spec["policyTypes"]]
        rules = [rule for spec in found for rule in spec.get(direction.lower(), ())]
        return not found or any(
            any(self._is_port(item, target, port, protocol) for item in rule["ports"])
            and (side not in rule or any(self._is_peer(peer, other) for peer in rule[side]))
            for rule in rules
        )

    @staticmethod
    def _selects(selector: Object, label: str) -> bool:
        wanted = selector.get("matchLabels", {}).get(NAME, label) == label
        return wanted and all(e["key"] == NAME and label in e["values"] for e in selector.get("matchExpressions", ()))

    def _is_peer(self, peer: Object, other: Pod | str) -> bool:
        if isinstance(other, str):
            # A private address is written 10.x; whatever else is outside.
            return "ipBlock" in peer and peer["ipBlock"]["cidr"] == "10.0.0.0/8" and other.startswith("10.")
        if "ipBlock" in peer:
            return False
        return peer["namespaceSelector"]["matchLabels"][NAMESPACE] == other[0] and self._selects(peer.get("podSelector", {}), other[1])

    def _is_port(self, item: Object, target: Pod | str, port: int, protocol: str) -> bool:
        number = item["port"]
        if isinstance(number, str):
            number = None if isinstance(target, str) else self.named.get(target[1], {}).get(number)
        return (number, item["protocol"]) == (port, protocol)

    def edges(self) -> Iterator[Edge]:
        """Every connection between pods of components that is made, over every port that any of them has."""
        ports = {number for name in self.named for number in self.named[name].values()} | {1}
        for source, target in product(self.services, repeat=2):
            for port in ports:
                if self.allows(self.pod(source), self.pod(target), port):
                    yield source, target, port


def kind(lane: str = "core", mode: str = "kind") -> Policies:
    return Policies(render_mode(reference.PLATFORM, reference.PLATFORM.mode(mode), lane), reference.PLATFORM)


# -- whatever the platform ----------------------------------------------------------------


@settings(max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made_up.platforms(), st.data())
def test_what_is_said_is_allowed_both_ways_and_nothing_else(drawn: Object, data: st.DataObject) -> None:
    services, mode = drawn["contract"]["services"], drawn["modes"]["kind"]
    mode["placement"] = {name: said for name, said in mode["placement"].items() if "provided_by" not in said}
    door = data.draw(st.sampled_from([None, *services]))
    for name, service in services.items():
        service["role"] = "ingress" if name == door else service["role"]
    with tempfile.TemporaryDirectory() as root:
        made_up.write(drawn, Path(root))
        platform = load_platform(Path(root))
        found = Policies(render_mode(platform, platform.mode("kind"), "core"), platform)
    ports = {name: set(service["ports"].values()) for name, service in services.items()}
    wanted = {(name, other, port) for name in services for other in (name, *services[name]["needs"]) for port in ports[other]}
    for endpoint in drawn["contract"]["endpoints"].values():
        # Without an ingress of ours it may be anywhere: the port of the public name is open to all who may leave their pod.
        if door:
            wanted.add((door, endpoint["service"], services[endpoint["service"]]["ports"]["main"]))
    if door:
        for name, service in services.items():
            said = [str(setting["value"]) for setting in service["settings"].values()]
            if any(f"${{endpoints.{e}." in text for e in drawn["contract"]["endpoints"] if e != name for text in said):
                wanted |= {(name, door, port) for port in ports[door]}
    assert set(found.edges()) == wanted
    for name in services:
        assert not found.allows(("elsewhere", "stranger"), found.pod(name), 1)
        assert not found.allows(found.pod(name), "203.0.113.1", 443) or mode["port"] == 443 or "infisical" in str(mode)


# -- the platform of this checkout ---------------------------------------------------------

BETWEEN = {
    ("api", "postgres", 5432),
    ("api", "redis", 6379),
    ("api", "traefik", 8443),
    ("keycloak", "postgres", 5432),
    ("network-policy-canary", "traefik", 8443),
    ("traefik", "api", 8000),
    ("traefik", "keycloak", 8080),
    ("traefik", "web", 8001),
    ("web", "api", 8000),
    ("web", "redis", 6379),
    ("web", "traefik", 8443),
}
OURS = ["api", "keycloak", "network-policy-canary", "postgres", "redis", "traefik", "web"]


def test_who_connects_to_whom_here() -> None:
    found = kind()
    between = {(source, target, port) for source, target, port in found.edges() if source != target and source in OURS and target in OURS}
    # The door stands open.
    assert between == BETWEEN | {(source, "traefik", 8443) for source in OURS if source not in ("postgres", "redis", "keycloak", "traefik")}


@pytest.mark.parametrize("name", OURS)
def test_a_stranger_reaches_nobody_and_nobody_leaves(name: str) -> None:
    found = kind()
    for port in {*found.named[name].values(), 9000}:
        # Traefik's public port leads to everybody, from wherever.
        assert found.allows(("default", "stranger"), found.pod(name), port) is (name == "traefik" and port == 8443)
    assert not found.allows(found.pod(name), "203.0.113.1", 443)
    assert not found.allows(found.pod(name), "203.0.113.1", 6443)
    assert not found.allows(found.pod(name), ("default", "stranger"), 80)
    assert not found.allows((found.pod(name)[0], "stranger"), found.pod("postgres"), 5432)
    assert not found.allows((found.pod(name)[0], "stranger"), "203.0.113.1", 443)


@pytest.mark.parametrize("name", OURS)
def test_names_are_resolved_and_one_component_calls_the_api_server(name: str) -> None:
    found = kind()
    for protocol in ("UDP", "TCP"):
        assert found.allows(found.pod(name), ("kube-system", "whoever-serves-it"), 53, protocol)
    assert found.allows(found.pod(name), "10.1.2.3", 6443) is (name == "traefik")


def test_the_jobs_of_a_component_may_what_it_may() -> None:
    found = kind()
    assert found.allows(("gpuaas-control-plane", "api-migrate"), found.pod("postgres"), 5432)
    assert not found.allows(("gpuaas-data", "api-migrate"), found.pod("redis"), 6379)


def test_every_namespace_of_ours_denies_what_nothing_allows() -> None:
    found = kind()
    ours = {service["namespace"] for service in found.services.values()} - {"kube-system"}
    denied = {p["metadata"]["namespace"] for p in found.all if p["metadata"]["name"] == "default-deny"}
    assert denied == ours
    for policy in found.all:
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        if policy["metadata"]["name"] == "default-deny":
            assert policy["spec"]["podSelector"] == {}
            assert not {"ingress", "egress"} & set(policy["spec"])


def test_who_asks_a_server_for_secrets_may_reach_it() -> None:
    found = kind(mode="platform_control")
    assert found.allows(found.pod("api"), "203.0.113.1", 443)
    assert not found.allows(found.pod("postgres"), "203.0.113.1", 443)


# -- what cannot be derived ----------------------------------------------------------------


def test_what_the_surroundings_provide_is_reached_by_its_port(tmp_path: Path) -> None:
    small = SmallPlatform(tmp_path)
    small.component_says("api", needs=["db"])
    small.mode["placement"] = {"db": {"provided_by": "a service of the cloud", "host": "db.example"}}
    platform = load_platform(small.write().folder)
    found = Policies(render_mode(platform, platform.mode("kind"), "core"), platform)
    assert found.allows(found.pod("api"), "203.0.113.1", 5432)
    assert not found.allows(found.pod("api"), "203.0.113.1", 5433)


def test_a_policy_under_a_generated_name_is_refused(tmp_path: Path) -> None:
    small = SmallPlatform(tmp_path)
    policy = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: api, namespace: shop-front}\nspec: {podSelector: {}}\n"
    )
    small.manifest("api", "policy.yaml", policy)
    _refused(small, "is the name of a policy that is made")


def test_pods_without_the_label_are_refused(tmp_path: Path) -> None:
    small = SmallPlatform(tmp_path)
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x, namespace: shop-front}\nspec: {template: {spec: {containers: []}}}\n"
    small.manifest("api", "job.yaml", job)
    _refused(small, "by which NetworkPolicies select them")


def _refused(small: SmallPlatform, seen: str) -> None:
    platform = load_platform(small.write().folder)
    with pytest.raises(ParityError, match=seen) as error:
        render_mode(platform, platform.mode("kind"), "core")
    assert error.value.reason == "CONTRACT_MANIFEST_MISMATCH"
