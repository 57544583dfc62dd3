"""Where an ingress is ours: routes and certificates in its own namespace, and a file with TLS options of each endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import Tree
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import API, Platform

DOOR = API.partition("---\napiVersion: networking")[0].replace("name: api", "name: door").replace("shop-front", "shop-edge")
CLASS = """\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: door, annotations: {gpuaas.parity/tls-options: door.example/tls}}
spec: {controller: door.example/ingress}
"""
LIMITS = """\
http: {middlewares: {slow: {inFlightReq: {amount: 3}}}}
tls: {options: {default: {sniStrict: true}}}
"""


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    """The small platform with an ingress of its own, which has a file of routes."""
    made = Platform(tmp_path)
    made.platform["services"]["door"] = {"role": "ingress", "image": "edge", "ports": {"https": 9000}, "settings": {}, "secrets": {}}
    made.platform["lanes"]["core"].append("door")
    kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [class.yaml, door.yaml]\n"
    generator = "configMapGenerator: [{name: door-routes, namespace: shop-edge, files: [routes.yml]}]\n"
    made.manifest("door", "kustomization.yaml", kustomization + generator)
    made.manifest("door", "routes.yml", LIMITS)
    made.manifest("door", "class.yaml", CLASS)
    text = DOOR.replace("8000", "9000").replace("          envFrom: [{configMapRef: {name: door-config}}]\n", "")
    text = text.replace("secret: {secretName: api-secrets}", "configMap: {name: door-routes}")
    made.manifest("door", "door.yaml", text.replace("configMap: {name: gpuaas-ca}", "emptyDir: {medium: Memory, sizeLimit: 1Mi}"))
    return made


def rendered(platform: Platform, mode: str = "kind") -> Tree:
    return render(platform.write().folder, mode, "core").tree


def objects(tree: Tree) -> dict[str, dict[str, Any]]:
    return {item["kind"]: item for item in yaml.safe_load_all(tree["ingress/endpoints.yaml"])}


def kustomization(tree: Tree, role: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(tree[f"{role}/kustomization.yaml"])
    return found


def test_an_endpoints_ingress_is_where_the_ingress_is(platform: Platform) -> None:
    tree = rendered(platform)
    ingress = objects(tree)["Ingress"]
    assert ingress["metadata"]["namespace"] == "shop-edge"
    assert ingress["spec"]["rules"][0]["host"] == "www.shop.localhost"
    assert ingress["spec"]["tls"] == [{"hosts": ["www.shop.localhost"], "secretName": "shop-tls"}]
    # Beside its component there is none, and neither is its key.
    gone = yaml.safe_load(kustomization(tree, "front")["patches"][0]["patch"])
    assert (gone["kind"], gone["metadata"], gone["$patch"]) == ("Ingress", {"name": "shop", "namespace": "shop-front"}, "delete")
    assert [item["name"] for item in kustomization(tree, "front")["secretGenerator"]] == ["api-secrets"]
    assert [(item["name"], item["namespace"]) for item in kustomization(tree, "ingress")["secretGenerator"]] == [("shop-tls", "shop-edge")]


def test_it_leads_to_the_component_by_name(platform: Platform) -> None:
    found = objects(rendered(platform))
    spec = {"type": "ExternalName", "externalName": "api.shop-front.svc.cluster.local", "ports": [{"name": "http", "port": 8000}]}
    assert found["Service"]["spec"] == spec
    assert found["Service"]["metadata"] == {"name": "api", "namespace": "shop-edge"}
    backend = found["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "api", "port": {"name": "http"}}


def test_a_port_without_a_name_is_led_to_by_its_number(platform: Platform) -> None:
    platform.edit("api", "api.yaml", "ports: [{name: http, port: 8000, targetPort: http}]", "ports: [{port: 8000, targetPort: http}]")
    platform.edit("api", "api.yaml", "port: {name: http}}}}]", "port: {number: 8000}}}}]")
    found = objects(rendered(platform))
    assert found["Service"]["spec"]["ports"] == [{"port": 8000}]
    assert found["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] == {"number": 8000}


def test_each_endpoint_has_tls_options_of_its_own(platform: Platform) -> None:
    tree = rendered(platform)
    assert yaml.safe_load(tree["ingress/routes.yml"]) == {
        "http": {"middlewares": {"slow": {"inFlightReq": {"amount": 3}}}},
        "tls": {"options": {"default": {"sniStrict": True}, "shop": {"sniStrict": True}}},
    }
    made = {"name": "door-routes", "namespace": "shop-edge", "behavior": "replace", "files": ["routes.yml"]}
    assert made in kustomization(tree, "ingress")["configMapGenerator"]
    annotations = objects(tree)["Ingress"]["metadata"]["annotations"]
    assert annotations == {"door.example/tls": "shop@file"}


def test_an_ingress_without_a_file_of_routes_gets_none(platform: Platform) -> None:
    platform.edit("door", "kustomization.yaml", "files: [routes.yml]", "files: [other.yml=routes.yml]")
    tree = rendered(platform)
    assert "ingress/routes.yml" not in tree


def test_an_ingress_that_knows_no_tls_options_is_told_none(platform: Platform) -> None:
    platform.edit("door", "class.yaml", ", annotations: {gpuaas.parity/tls-options: door.example/tls}", "")
    assert "annotations" not in objects(rendered(platform))["Ingress"]["metadata"]


def test_compose_has_routes_and_options_in_one_file(platform: Platform) -> None:
    platform.other("compose", "compose")
    files = {"routes": {"to": "/routes", "files": {"routes.yml": "rendered/routes.yml"}, "why": "No objects."}}
    platform.exceptions["door"] = {"files": files}
    document = yaml.safe_load(rendered(platform, "compose")["files/door-routes/routes.yml"])
    assert document["http"]["routers"]["shop"]["tls"] == {"options": "shop"}
    assert document["http"]["middlewares"] == {"slow": {"inFlightReq": {"amount": 3}}}
    assert document["tls"]["options"]["shop"] == {"sniStrict": True}
    assert document["tls"]["certificates"]


def test_where_the_ingress_is_none_of_ours_everything_is_beside_its_component(platform: Platform) -> None:
    platform.mode["placement"]["door"] = {"provided_by": "the cluster"}
    tree = rendered(platform)
    assert not [name for name in tree if name.startswith("ingress/")]
    assert [item["name"] for item in kustomization(tree, "front")["secretGenerator"]] == ["api-secrets", "shop-tls"]
    patch = kustomization(tree, "front")["patches"][0]
    assert patch["target"]["kind"] == "Ingress"
    assert "www.shop.localhost" in patch["patch"]


def test_clients_keep_their_addresses_where_a_load_balancer_leads_in(platform: Platform) -> None:
    platform.component_says("door", ports={"https": "${public_port}"})
    platform.edit("door", "door.yaml", "  ports: [{name: http, port:", "  type: NodePort\n  ports: [{name: http, port:")
    platform.other("shared", "gitops")
    patches = kustomization(rendered(platform, "shared"), "ingress")["patches"]
    assert '"/spec/externalTrafficPolicy", "value": "Local"' in patches[0]["patch"]
