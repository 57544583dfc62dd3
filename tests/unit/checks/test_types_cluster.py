"""The types that look at the cluster and at the machine."""

from __future__ import annotations

import base64
import json
import socket
import struct
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.image_digest import ImageDigest, repository
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.names import ClusterNames
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types import dns, network_policy
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.ca_published import CaPublished
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.configuration import Configuration
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.dns import Dns
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.images_pinned import ImagesPinned
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.job import Job
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.loopback_only import LoopbackOnly
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.names_inside import NamesInside
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.network_policy import NetworkPolicy
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.nodes import Nodes
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.pod_security import PodSecurity
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.private_files import PrivateFiles
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.workload import Workload
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import HOSTS
from ansible_collections.gpuaas.parity.tests.unit.kube.objects import named, pod, waiting, warning, workload

NS = "gpuaas-control-plane"
Object = dict[str, Any]


def docker_says(answer: Any, rc: int = 0) -> Callable[[Sequence[str]], Completed]:
    return lambda _argv: Completed(json.dumps(answer), "", rc)


# -- workload and job ----------------------------------------------------------


def test_a_workload_that_is_rolled_out(make_context: MakeContext) -> None:
    found = Workload("api").run(make_context({"deployments": [workload("api", NS)]}))
    assert (found.ok, found.seen) == (True, "deployment/api: 1/1 ready")


@pytest.mark.parametrize(
    ("item", "seen"),
    [
        (workload("api", NS, observedGeneration=1), "newest generation is not observed"),
        (workload("api", NS, ready=1, wanted=2), "1/2 ready"),
        (workload("api", NS, updatedReplicas=0), "0/1 ready"),
        (workload("api", NS, replicas=2), "old ones are still there"),
        (workload("api", NS, ready=0, wanted=0), "wants no replicas"),
        (workload("api", "elsewhere"), "no workload api is in namespace"),
    ],
)
def test_a_workload_that_is_not(make_context: MakeContext, item: Object, seen: str) -> None:
    found = Workload("api").run(make_context({"deployments": [item]}))
    assert (found.ok, found.reason) == (False, "WORKLOAD_NOT_READY")
    assert seen in found.seen


def test_a_workload_names_the_pod_its_state_and_the_last_event(make_context: MakeContext) -> None:
    objects = {
        "statefulsets": [workload("api", NS, ready=0)],
        "pods": [pod("api-0", NS, "api", ready=False, **waiting("ImagePullBackOff", "no such image"))],
        "events": [warning(NS, "api-0", "Failed", "early"), warning(NS, "api-0", "BackOff", "last words", "2027-01-01T00:00:00Z")],
    }
    found = Workload("api").run(make_context(objects))
    assert found.reason == "IMAGE_NOT_ON_NODE"
    assert found.grace is not None
    assert found.seen == "pod api-0, container api: ImagePullBackOff: no such image; last event: BackOff: last words"


def test_a_workload_that_finds_no_room_names_who_takes_it(make_context: MakeContext) -> None:
    def asking(name: str, service: str, cpu: str, **status: Any) -> Object:
        item = pod(name, NS, service, **status)
        item["spec"]["containers"][0]["resources"] = {"requests": {"cpu": cpu}}
        return item

    lost = asking("api-0", "api", "30m", ready=False)
    said = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available"
    lost["status"] = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": said}]}
    others = [asking(f"other-{cpu}", "other", cpu) for cpu in ("5m", "10m", "0.4", "1500m")]
    for item in others:
        item["spec"]["nodeName"] = "node"
    others[1]["status"]["phase"] = "Succeeded"
    objects = {
        "deployments": [workload("api", NS, ready=0)],
        "pods": [lost, *others],
        "nodes": [named("node", status={"allocatable": {"cpu": "2"}})],
    }
    found = Workload("api").run(make_context(objects))
    assert (found.reason, found.grace) == ("POD_UNSCHEDULABLE", 60.0)
    assert found.seen == (
        f"pod api-0 is not scheduled: {said} it asks for 30m of cpu, 1905m of 2000m are taken, "
        f"most of it by {NS}/other-1500m 1500m, {NS}/other-0.4 400m, {NS}/other-5m 5m"
    )


def test_a_daemonset(make_context: MakeContext) -> None:
    item = workload("api", NS)
    item["status"] |= {"desiredNumberScheduled": 1, "numberReady": 1, "updatedNumberScheduled": 1}
    assert Workload("api").run(make_context({"daemonsets": [item]})).ok
    item["status"]["numberReady"] = 0
    assert not Workload("api").run(make_context({"daemonsets": [item]})).ok


def test_another_workload_of_a_component(make_context: MakeContext) -> None:
    objects = {"deployments": [workload("api", NS, ready=0)], "statefulsets": [workload("api-ui", NS)]}
    assert Workload("api", "api-ui").run(make_context(objects)).seen == "statefulset/api-ui: 1/1 ready"


def test_a_component_that_is_no_workload(make_context: MakeContext) -> None:
    with pytest.raises(ParityError, match=r"CONTRACT_NOT_RENDERED.*canary is job/canary, none of deployment"):
        Workload("canary").run(make_context())


def _job(*conditions: Object) -> Object:
    return named("api-migrate", NS, status={"conditions": list(conditions)})


def test_a_job(make_context: MakeContext) -> None:
    check = Job("api", "api-migrate")
    assert check.run(make_context({"jobs": [_job({"type": "Complete", "status": "True"})]})).ok
    gone = check.run(make_context())
    assert gone.reason == "JOB_NOT_COMPLETE"
    failure = {"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}
    dead = check.run(make_context({"jobs": [_job(failure)]}))
    assert (dead.reason, dead.grace) == ("JOB_FAILED", 0.0)
    assert "BackoffLimitExceeded" in dead.seen
    new = check.run(make_context({"jobs": [_job()]}))
    assert "has no pod yet" in new.seen


def test_a_component_that_is_a_job_itself(make_context: MakeContext) -> None:
    job = named("canary", "gpuaas-canary", status={"conditions": [{"type": "Complete", "status": "True"}]})
    assert Job("canary").run(make_context({"jobs": [job]})).ok


def test_a_job_whose_pod_runs_or_is_stuck(make_context: MakeContext) -> None:
    runs = pod("api-migrate-x", NS, "api-migrate", ready=False)
    runs["metadata"]["labels"]["batch.kubernetes.io/job-name"] = "api-migrate"
    found = Job("api", "api-migrate").run(make_context({"jobs": [_job()], "pods": [runs]}))
    assert (found.reason, found.grace) == ("JOB_NOT_COMPLETE", None)
    runs["status"]["containerStatuses"][0] |= waiting("ErrImageNeverPull")
    found = Job("api", "api-migrate").run(make_context({"jobs": [_job()], "pods": [runs]}))
    assert found.reason == "IMAGE_NOT_ON_NODE"


# -- names ----------------------------------------------------------------------


def test_names_by_the_rule_where_the_resolver_is_silent(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "addresses", lambda _name: set())
    found = Dns(["api.gpuaas.localhost"]).run(make_context())
    assert found.ok
    assert "RFC 6761" in found.seen
    assert Dns(["api.example.com"]).run(make_context()).reason == "NAME_NOT_LOOPBACK"


def test_all_public_names_where_none_is_named(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "addresses", lambda _name: {"127.0.0.1"})
    assert Dns().run(make_context()).seen == f"{', '.join(HOSTS.values())}: loopback"


@pytest.mark.parametrize(("answer", "ok"), [({"127.0.0.1", "::1"}, True), ({"127.0.0.1", "203.0.113.7"}, False)])
def test_names_by_the_resolver(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, answer: set[str], ok: bool) -> None:
    monkeypatch.setattr(dns, "addresses", lambda _name: answer)
    found = Dns(["api.gpuaas.localhost"]).run(make_context())
    assert found.ok is ok
    assert ok or "203.0.113.7" in found.seen


def test_a_resolver_that_fails_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise socket.gaierror("no")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert dns.addresses("api.gpuaas.localhost") == set()


def _answer(address: str | None, code: int = 0) -> str:
    encoded = b"\3api\6gpuaas\11localhost\0"
    head = struct.pack(">6H", 1, 0x8180 | code, 1, 1 if address else 0, 0, 0)
    body = encoded + struct.pack(">2H", 1, 1)
    if address:
        body += b"\xc0\x0c" + struct.pack(">2HIH", 1, 1, 5, 4) + socket.inet_aton(address)
    return base64.b64encode(head + body).decode()


class NodeDns:
    """A node whose DNS server answers each name with an address; unknown names as configured."""

    def __init__(self, address: str | None, unknown_rc: int = 0) -> None:
        self.address, self.unknown_rc, self.asked = address, unknown_rc, 0

    def __call__(self, argv: Sequence[str]) -> Completed:
        questions = argv[argv.index("ask") + 2 :]
        self.asked += 1
        if self.asked == 2:
            return Completed(_answer(None, 3) if not self.unknown_rc else "", "", self.unknown_rc)
        return Completed("\n".join(_answer(self.address) for _one in questions), "", 0)


SERVICES = {
    "services": [
        named("kube-dns", "kube-system", spec={"clusterIP": "10.96.0.10"}),
        named("traefik", "gpuaas-ingress", spec={"clusterIP": "10.96.7.7"}),
    ]
}
IN_CLUSTER = ClusterNames(["api.gpuaas.localhost", "web.gpuaas.localhost"], "traefik.gpuaas-ingress.svc.cluster.local")


def test_names_lead_to_the_ingress_inside_the_cluster(make_context: MakeContext) -> None:
    found = IN_CLUSTER.run(make_context(SERVICES, NodeDns("10.96.7.7")))
    assert found.ok, found.seen


@pytest.mark.parametrize(
    ("docker", "seen"),
    [
        (NodeDns("10.96.9.9"), "is 10.96.9.9 inside the cluster"),
        (NodeDns(None), "is NOERROR inside the cluster"),
        (NodeDns("10.96.7.7", unknown_rc=124), "not answered within a second"),
        (lambda _argv: Completed("", "", 124), "does not answer"),
    ],
)
def test_names_that_lead_elsewhere_inside(make_context: MakeContext, docker: Any, seen: str) -> None:
    found = IN_CLUSTER.run(make_context(SERVICES, docker))
    assert found.reason == "CLUSTER_DNS_WRONG"
    assert seen in found.seen


def test_names_without_a_service(make_context: MakeContext) -> None:
    assert "has no cluster IP" in IN_CLUSTER.run(make_context()).seen


@pytest.mark.parametrize("check", [NamesInside("traefik"), NamesInside("dns", to="traefik")])
def test_every_public_name_leads_to_a_component(make_context: MakeContext, check: NamesInside) -> None:
    found = check.run(make_context(SERVICES, NodeDns("10.96.7.7")))
    assert found.ok, found.seen
    assert all(host in found.seen for host in HOSTS.values())


# -- configuration ----------------------------------------------------------------


def _configured(state_dir: Path, **changes: Any) -> dict[str, list[Object]]:
    file = state_dir / "secrets" / "files" / "api" / "redis_password"
    file.parent.mkdir(parents=True)
    file.write_text("redis-password")
    item = pod("api-1", NS, "api")
    container = item["spec"]["containers"][0]
    container["envFrom"] = [{"configMapRef": {"name": changes.get("config", "api-config-1a2b")}}]
    container["env"] = changes.get("env", [])
    volumes = [{"name": "ca", "configMap": {"name": "gpuaas-ca"}}]
    if "secret" not in changes or changes["secret"]:
        volumes.append({"name": "s", "projected": {"sources": [{"secret": {"name": changes.get("secret", "api-secrets-9f")}}]}})
    item["spec"]["volumes"] = volumes
    settings = {"GPUAAS_OIDC_ISSUER": "https://auth.gpuaas.localhost:1/realms/gpuaas", "GPUAAS_LEVEL": "info"}
    hidden = changes.get("hidden", {"redis_password": base64.b64encode(b"redis-password").decode()})
    return {
        "deployments": [workload("api", NS)],
        "pods": [item],
        "configmaps": [named("api-config-1a2b", NS, data={**settings, **changes.get("settings", {})})],
        "secrets": [named("api-secrets-9f", NS, data=hidden)],
    }


CONFIGURATION = Configuration("api")


def test_pods_are_configured_as_the_contract_says(make_context: MakeContext, state_dir: Path) -> None:
    found = CONFIGURATION.run(make_context(_configured(state_dir)))
    assert found.ok, found.seen


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"config": "other"}, "use no api-config"),
        ({"settings": {"GPUAAS_LEVEL": "debug"}}, "GPUAAS_LEVEL is 'debug', the contract says 'info'"),
        ({"settings": {"GPUAAS_MORE": "x"}}, "has unknown GPUAAS_MORE"),
        ({"env": [{"name": "GPUAAS_LEVEL", "value": "debug"}]}, "overrides GPUAAS_LEVEL"),
        ({"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "api-config-old"}}}]}, "not exactly one"),
        ({"secret": None}, "use no api-secrets"),
        ({"hidden": {}}, "lacks redis_password"),
        ({"hidden": {"redis_password": "aHVzaA==", "more": ""}}, "has unknown more"),
        ({"hidden": {"redis_password": "aHVzaA=="}}, "redis_password is not what"),
        ({"hidden": {"redis_password": "%%%"}}, "cannot be compared"),
    ],
)
def test_drift_is_told_without_a_value(make_context: MakeContext, state_dir: Path, changes: Object, seen: str) -> None:
    found = CONFIGURATION.run(make_context(_configured(state_dir, **changes)))
    assert found.reason == "CONFIGURATION_DRIFT"
    assert seen in found.seen
    assert not any(value in found.seen for value in ("hush", "aHVzaA", "redis-password"))


@pytest.mark.parametrize(
    ("secret", "data", "seen"),
    [
        ("api-identity-9f", {"identity_id": base64.b64encode(b"an-id").decode()}, ""),
        ("api-identity-9f", {"identity_id": base64.b64encode(b"another").decode()}, "identity_id is not what"),
        ("api-identity-9f", {}, "lacks identity_id"),
        ("other", {}, "use no api-identity"),
        # Files where a server has the secrets.
        ("api-secrets-9f", {"redis_password": base64.b64encode(b"redis-password").decode()}, "use api-secrets-9f api-secrets, not none"),
    ],
)
def test_pods_of_who_asks_a_server_have_an_identity_and_no_secrets(
    make_context: MakeContext, state_dir: Path, secret: str, data: dict[str, str], seen: str
) -> None:
    objects = _configured(state_dir, secret=secret)
    objects["secrets"] = [named(secret, NS, data=data)]
    (state_dir / "secrets" / "files" / "api" / "identity_id").write_text("an-id")
    context = make_context(objects)
    context.contract["services"]["api"]["identity"] = "https://keeper.test"
    found = CONFIGURATION.run(context)
    assert found.ok is not bool(seen), found.seen
    assert seen in found.seen


def test_an_identity_where_there_should_be_files(make_context: MakeContext, state_dir: Path) -> None:
    objects = _configured(state_dir)
    objects["pods"][0]["spec"]["volumes"].append({"name": "i", "secret": {"secretName": "api-identity-9f"}})
    assert "use api-identity-9f api-identity, not none" in CONFIGURATION.run(make_context(objects)).seen


def test_a_secret_that_cannot_be_compared_on_this_side(make_context: MakeContext, state_dir: Path) -> None:
    objects = _configured(state_dir)
    (state_dir / "secrets" / "files" / "api" / "redis_password").unlink()
    assert "cannot be compared" in CONFIGURATION.run(make_context(objects)).seen


def test_settings_that_the_contract_does_not_have(make_context: MakeContext, state_dir: Path) -> None:
    context = make_context(_configured(state_dir))
    context.contract["services"]["api"]["settings"] = {}
    assert "use api-config-1a2b api-config, not none" in CONFIGURATION.run(context).seen


def test_configuration_without_pods(make_context: MakeContext) -> None:
    assert "has no pod" in CONFIGURATION.run(make_context()).seen


def test_the_ca_of_the_pods(make_context: MakeContext, state_dir: Path) -> None:
    ours = (state_dir / "tls" / "ca.crt").read_text()
    check, item = CaPublished("api", "/etc/ca/ours.crt"), pod("api-1", NS, "api")
    item["spec"]["volumes"] = [{"name": "ca", "configMap": {"name": "ca-1a2b"}}]
    item["spec"]["containers"][0]["volumeMounts"] = [{"name": "ca", "mountPath": "/etc/ca"}]

    def look(data: dict[str, str]) -> Observation:
        objects = {"deployments": [workload("api", NS)], "pods": [item], "configmaps": [named("ca-1a2b", NS, data=data)]}
        return check.run(make_context(objects))

    assert look({"ours.crt": ours}).ok
    for data in ({"ours.crt": "x"}, {"other.crt": ours}, {}):
        found = look(data)
        assert found.reason == "CONFIGURATION_DRIFT"
        assert "another CA" in found.seen
    item["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] = "/etc/elsewhere"
    assert "mounts no ConfigMap at /etc/ca" in look({"ours.crt": ours}).seen
    assert "no pod" in check.run(make_context()).seen


# -- images -------------------------------------------------------------------------

DIGEST, OTHER, CONFIG = (f"sha256:{letter * 64}" for letter in "abc")
RUNNING = {"Id": "node1"}


def _pin(state_dir: Path, **entry: str) -> None:
    (state_dir / "images").mkdir()
    images = {"api": {"ref": f"gpuaas.localhost/api@{DIGEST}", "digest": DIGEST, **entry}}
    (state_dir / "images" / "images.json").write_text(json.dumps({"node": "node1", "images": images}))


def _runs(image: str, image_id: str, namespace: str = NS, service: str = "api") -> dict[str, list[Object]]:
    item = pod("api-1", namespace, service, imageID=image_id)
    item["spec"]["containers"][0]["image"] = image
    return {"pods": [item]}


@pytest.mark.parametrize(
    ("image_id", "entry"),
    [
        (f"gpuaas.localhost/api@{DIGEST}", {}),
        (CONFIG, {"config_digest": CONFIG}),
        (CONFIG, {}),  # by reference: the configuration's digest is not recorded
    ],
)
def test_pinned_images(make_context: MakeContext, state_dir: Path, image_id: str, entry: dict[str, str]) -> None:
    _pin(state_dir, **entry)
    objects = _runs(f"gpuaas.localhost/api@{DIGEST}", image_id)
    found = ImagesPinned().run(make_context(objects, docker_says([RUNNING])))
    assert found.ok, found.seen


@pytest.mark.parametrize(
    ("image", "image_id", "entry", "seen"),
    [
        (f"gpuaas.localhost/api@{DIGEST}", f"gpuaas.localhost/api@{OTHER}", {}, "is pinned"),
        (f"gpuaas.localhost/api@{DIGEST}", OTHER, {"config_digest": CONFIG}, "is pinned"),
        (f"gpuaas.localhost/api@{OTHER}", CONFIG, {}, "is pinned"),
        ("gpuaas.localhost/api:dev", CONFIG, {}, "is pinned"),
        ("nginx:latest", DIGEST, {}, "no image nginx is pinned"),
        (f"gpuaas.localhost/api@{DIGEST}", "", {}, "no image runs yet"),
    ],
)
def test_images_that_are_not(
    make_context: MakeContext, state_dir: Path, image: str, image_id: str, entry: dict[str, str], seen: str
) -> None:
    _pin(state_dir, **entry)
    found = ImageDigest().run(make_context(_runs(image, image_id), docker_says([RUNNING])))
    assert found.reason == "IMAGE_NOT_PINNED"
    assert seen in found.seen


def test_the_nodes_own_pods_come_with_the_node_image(make_context: MakeContext, state_dir: Path) -> None:
    _pin(state_dir)
    objects = _runs(f"gpuaas.localhost/api@{DIGEST}", DIGEST)
    objects["pods"] += _runs("etcd", OTHER, "kube-system", "etcd")["pods"]
    assert ImageDigest().run(make_context(objects, docker_says([RUNNING]))).ok
    objects["pods"] += _runs("strange", OTHER, "kube-system", "api")["pods"]
    assert not ImageDigest().run(make_context(objects, docker_says([RUNNING]))).ok


def test_a_lock_of_another_node_or_none(make_context: MakeContext, state_dir: Path) -> None:
    objects = _runs(f"gpuaas.localhost/api@{DIGEST}", DIGEST)
    assert "images.json" in ImageDigest().run(make_context(objects)).seen
    _pin(state_dir)
    found = ImageDigest().run(make_context(objects, docker_says([{"Id": "node2"}])))
    assert "another node" in found.seen
    assert "no pod to compare" in ImageDigest().run(make_context({}, docker_says([RUNNING]))).seen


def test_repositories() -> None:
    assert repository("registry.localhost:5000/a/b:1@sha256:x") == "registry.localhost:5000/a/b"
    assert repository("postgres") == "postgres"


# -- security -------------------------------------------------------------------------


def _published(*bindings: tuple[str, str], network: str = "kind") -> list[Object]:
    ports = {port: [{"HostIp": address, "HostPort": "1"}] for port, address in bindings}
    return [{"HostConfig": {"NetworkMode": network}, "NetworkSettings": {"Ports": {**ports, "9/tcp": None}}}]


def test_ports_on_loopback(make_context: MakeContext) -> None:
    answer = _published(("6443/tcp", "127.0.0.1"), ("30443/tcp", "::1"))
    found = LoopbackOnly().run(make_context(docker=docker_says(answer)))
    assert found.ok, found.seen


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (_published(("6443/tcp", "0.0.0.0")), "0.0.0.0:1 -> 6443/tcp"),
        (_published(("6443/tcp", "")), "*:1 -> 6443/tcp"),
        (_published(("6443/tcp", "127.0.0.1"), ("1/tcp", "192.168.1.5")), "192.168.1.5:1"),
        (_published(("6443/tcp", "127.0.0.1"), network="host"), "shares the host's network"),
        (_published(), "publishes no port"),
        ([], "no container"),
    ],
)
def test_ports_off_loopback(make_context: MakeContext, answer: list[Object], seen: str) -> None:
    found = LoopbackOnly().run(make_context(docker=docker_says(answer)))
    assert found.reason == "LISTENS_OFF_LOOPBACK"
    assert seen in found.seen


def _namespace(name: str, level: str) -> Object:
    item = named(name)
    item["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": level} if level else {}
    return item


def test_pod_security(make_context: MakeContext) -> None:
    good = [_namespace("gpuaas-a", "restricted"), _namespace("kube-system", "")]
    assert PodSecurity().run(make_context({"namespaces": good})).ok
    weak = [*good, _namespace("gpuaas-b", "baseline"), _namespace("teams-own", "")]
    found = PodSecurity().run(make_context({"namespaces": weak}))
    assert found.reason == "POD_SECURITY_MISSING"
    assert "gpuaas-b (baseline), teams-own (no label)" in found.seen
    assert PodSecurity().run(make_context()).reason == "POD_SECURITY_MISSING"


@pytest.mark.parametrize(
    ("ready", "age", "seen"),
    [
        ("True", 39, ""),
        ("Unknown", 1, "node here is not Ready"),
        # It was paused, and nobody has looked yet.
        ("True", 41, "node here was heard of 41 s ago"),
        ("True", None, "node here has no lease"),
    ],
)
def test_nodes(make_context: MakeContext, ready: str, age: float | None, seen: str) -> None:
    node = {"metadata": {"name": "here"}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}
    leases = []
    if age is not None:
        renewed = (datetime.now(UTC) - timedelta(seconds=age)).isoformat().replace("+00:00", "Z")
        spec = {"renewTime": renewed, "leaseDurationSeconds": 40}
        leases = [{"metadata": {"name": "here", "namespace": "kube-node-lease"}, "spec": spec}]
    found = Nodes().run(make_context({"nodes": [node], "leases": leases}))
    assert (found.ok, found.reason) == ((True, "") if not seen else (False, "NOT_READY"))
    assert seen in found.seen
    assert Nodes().run(make_context()).reason == "NOT_READY"


def _private(state_dir: Path) -> None:
    for folder in (state_dir, state_dir / "tls", state_dir / "secrets"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
    for file in (state_dir / "kubeconfig", state_dir / "secrets" / "secrets.yml", state_dir / "tls" / "ca.key"):
        file.touch()
        file.chmod(0o600)


def test_private_files(make_context: MakeContext, state_dir: Path) -> None:
    _private(state_dir)
    found = PrivateFiles().run(make_context())
    assert found.ok, found.seen


@pytest.mark.parametrize("bit", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001], ids=oct)
@pytest.mark.parametrize("name", ["kubeconfig", "secrets/secrets.yml", "tls/ca.key", "secrets", "."])
def test_files_that_others_can_read(make_context: MakeContext, state_dir: Path, name: str, bit: int) -> None:
    _private(state_dir)
    path = state_dir / name
    path.chmod((0o700 if path.is_dir() else 0o600) | bit)
    found = PrivateFiles().run(make_context())
    assert found.reason == "SECRETS_EXPOSED"
    assert str(path) in found.seen


def test_files_or_values_that_are_missing(make_context: MakeContext, state_dir: Path) -> None:
    _private(state_dir)
    assert "lacks redis_password" in PrivateFiles().run(make_context(secret={}.__getitem__)).seen
    (state_dir / "kubeconfig").unlink()
    assert "kubeconfig" in PrivateFiles().run(make_context()).seen


def _canary(make_context: MakeContext, said: str, rc: int = 0) -> Observation:
    """What the check says when the canary's container prints ``said``."""
    ran: list[Sequence[str]] = []

    def in_pod(_namespace: str, _pod: str, _container: str, command: Sequence[str], _timeout: float) -> Completed:
        ran.append(command)
        return Completed(said, "", rc)

    objects = {"deployments": [workload("canary", "gpuaas-canary")], "pods": [pod("canary-1", "gpuaas-canary", "canary")]}
    document = {"services": {"canary": {"workload": "deployment/canary", "namespace": "gpuaas-canary"}}}
    found = NetworkPolicy("canary", "front", 8443, "front-ping", 9000).run(make_context(objects, in_pod=in_pod, contract=document))
    assert [list(command)[-4:] for command in ran] == [["front", "8443", "front-ping", "9000"]]
    return found


def test_a_canary_that_is_held_back(make_context: MakeContext) -> None:
    found = _canary(make_context, "open silent open\n")
    assert found.ok
    assert found.seen.startswith("enforced: ")


@pytest.mark.parametrize(
    ("printed", "reason", "seen"),
    [
        ("open open open", "NETWORK_POLICY_NOT_ENFORCED", "reaches front-ping:9000, which the policies forbid"),
        # A canary that reaches nothing is held back by whatever it may be.
        ("silent silent silent", "NETWORK_POLICY_UNPROVEN", "cannot reach what it may, front:8443: silent, then silent"),
        ("refused silent open", "NETWORK_POLICY_UNPROVEN", "cannot reach what it may"),
        ("open silent silent", "NETWORK_POLICY_UNPROVEN", "cannot reach what it may"),
        ("open refused open", "NETWORK_POLICY_UNPROVEN", "nothing listens at front-ping:9000"),
        ("", "NETWORK_POLICY_UNPROVEN", "tried nothing"),
    ],
)
def test_a_canary_that_proves_no_enforcement(make_context: MakeContext, printed: str, reason: str, seen: str) -> None:
    found = _canary(make_context, printed)
    assert not found.ok
    assert found.reason == reason
    assert seen in found.seen


def test_a_canary_that_fails(make_context: MakeContext) -> None:
    assert _canary(make_context, "open silent open", rc=1).reason == "NETWORK_POLICY_UNPROVEN"


def test_what_the_canary_runs_tells_open_from_refused() -> None:
    """The script itself, against a listener of this machine and a port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as open_port, socket.create_server(("127.0.0.1", 0)) as other:
        taken, free = open_port.getsockname()[1], other.getsockname()[1]
        other.close()
        words = ["127.0.0.1", str(taken), "127.0.0.1", str(free)]
        done = subprocess.run(["/bin/bash", "-c", network_policy.TRY, *words], capture_output=True, text=True, check=True)
    assert done.stdout == "open refused open\n"
