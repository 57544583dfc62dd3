"""What a manifest says and Compose cannot do is refused by name: nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .shop import Shop, pod, workload


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def both(shop: Shop) -> None:
    shop.spec["containers"].append({"name": "second", "image": "shop"})


def job(shop: Shop) -> None:
    shop.objects = [workload("Job", "shop-migrate", pod(stdin=True))]


def cron(shop: Shop) -> None:
    made = workload("Job", "shop-often", pod())
    template = {"spec": made["spec"]}
    shop.objects = [{**made, "kind": "CronJob", "spec": {"schedule": "* * * * *", "jobTemplate": template}}]


def env(**source: Any) -> Callable[[Shop], None]:
    return lambda shop: shop.container.update(env=[{"name": "TOKEN", "valueFrom": source}])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (both, "has more than one container"),
        (job, "Job shop-migrate: has container.stdin"),
        (cron, "CronJob shop-often: is of a kind that Compose has not"),
        (lambda shop: shop.spec.update(securityContext={"runAsUser": 7}), "states no runAsUser and runAsGroup"),
        (lambda shop: shop.spec.update(hostNetwork=True), "has spec.hostNetwork"),
        (lambda shop: shop.spec.update(initContainers=[{"name": "first", "image": "shop"}]), "has spec.initContainers"),
        (lambda shop: shop.spec["securityContext"].update(sysctls=[{"name": "a", "value": "b"}]), "has spec.securityContext.sysctls"),
        (lambda shop: shop.container.update(securityContext={"privileged": True}), "has container.securityContext.privileged"),
        (lambda shop: shop.container.update(lifecycle={"preStop": {"exec": {"command": ["x"]}}}), "has container.lifecycle"),
        (env(secretKeyRef={"name": "shop-secrets", "key": "token"}), "has env TOKEN from a Secret: let it read the secret from a file"),
        (env(fieldRef={"fieldPath": "status.podIP"}), "has env TOKEN from fieldRef"),
        (lambda shop: shop.container["envFrom"].append({"secretRef": {"name": "shop-secrets"}}), "has envFrom shop-secrets"),
        (lambda shop: shop.mounts(host={"hostPath": {"path": "/"}}), "has volume host"),
        (lambda shop: shop.mounts(tmp={"emptyDir": {"medium": "Memory"}}), "has volume tmp: has no sizeLimit"),
        (lambda shop: shop.mounts(other={"configMap": {"name": "kube-root-ca.crt"}}), "has volume other"),
        (lambda shop: shop.container["readinessProbe"].update(httpGet={"path": "/", "port": "http", "scheme": "HTTPS"}), "say `health`"),
        (lambda shop: shop.container.update(readinessProbe={"grpc": {"port": 1}}), "say `health`"),
        (lambda shop: shop.container.pop("readinessProbe"), "say `health`"),
    ],
)
def test_it_is_refused_by_name(shop: Shop, change: Callable[[Shop], Any], said: str) -> None:
    change(shop)
    error = shop.refused()
    assert error.reason == "COMPOSE_UNDERIVABLE"
    assert said in error.seen
    assert "platform/components/shop/kubernetes/shop.yaml" in error.seen


def test_everything_is_named_at_once(shop: Shop) -> None:
    shop.spec |= {"hostNetwork": True, "hostPID": True}
    assert len(shop.refused().seen.splitlines()) == 2


def test_what_is_a_clusters_own_matter_is_left_to_it(shop: Shop) -> None:
    shop.spec |= {"automountServiceAccountToken": False, "serviceAccountName": "x", "tolerations": [], "hostNetwork": False}
    shop.container.update(imagePullPolicy="Never", livenessProbe={"grpc": {"port": 1}}, lifecycle={"preStop": {"sleep": {"seconds": 2}}})
    assert shop.services()["shop"]


def test_a_health_exception_stands_for_a_probe(shop: Shop) -> None:
    shop.container["readinessProbe"] = {"grpc": {"port": 1}}
    shop.exceptions = {"health": {"test": ["ask", "$me"], "why": "Compose speaks no gRPC."}}
    assert shop.services()["shop"]["healthcheck"]["test"] == ["CMD", "ask", "$$me"]


def test_another_mode_runs_it_all_the_same(shop: Shop) -> None:
    shop.spec["hostNetwork"] = True
    assert "kustomization.yaml" in {name.rpartition("/")[2] for name in shop.tree("kind")}
