"""What each field of a manifest becomes in Compose."""

from __future__ import annotations

import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_words import expanded

from .shop import LABELS, Shop, pod, workload

MEMORY = {"medium": "Memory", "sizeLimit": "16Mi"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_command_and_arguments_reach_the_container_as_they_are(shop: Shop) -> None:
    shop.container.update({"command": ["/bin/sh", "-ec"], "args": ['echo "$HOME" $(date) $$']})
    service = shop.services()["shop"]
    assert service["entrypoint"] == ["/bin/sh", "-ec"]
    # The kubelet makes one dollar of two; Compose is given each of them twice.
    assert service["command"] == ['echo "$$HOME" $$(date) $$']


def test_what_the_kubelet_puts_together_is_put_together(shop: Shop) -> None:
    shop.container.update(
        {"args": ["--name=$(SHOP_NAME)", "$(ADDRESS)", "$(NOBODYS)"], "env": [{"name": "ADDRESS", "value": "$(SHOP_NAME):1"}]}
    )
    service = shop.services()["shop"]
    assert service["command"] == ["--name=corner", "corner:1", "$$(NOBODYS)"]
    assert service["environment"] == {"ADDRESS": "corner:1"}


@pytest.mark.parametrize(
    ("text", "found"),
    [("$(A)", "1"), ("$$(A)", "$(A)"), ("$(B)", "$(B)"), ("$A ${A} $", "$A ${A} $"), ("$(A", "$(A"), ("$$$(A)", "$1"), ("$(A)$(A)", "11")],
)
def test_expansion_is_the_kubelets(text: str, found: str) -> None:
    assert expanded(text, {"A": "1"}) == found


def test_settings_are_an_env_file_where_the_manifest_reads_them(shop: Shop) -> None:
    assert shop.services()["shop"]["env_file"] == ["shop.env"]
    del shop.container["envFrom"]
    shop.component["settings"] = {}
    assert "env_file" not in shop.services()["shop"]


def test_a_user_is_the_containers_own_or_the_pods(shop: Shop) -> None:
    assert shop.services()["shop"]["user"] == "7:8"
    shop.container["securityContext"] = {"runAsUser": 9}
    assert shop.services()["shop"]["user"] == "9:8"


@pytest.mark.parametrize(
    ("limit", "spelled"), [("512Mi", "512m"), ("1Gi", "1g"), ("64Ki", "64k"), ("128M", "125000k"), ("1000", "1000b"), ("1.5Gi", "1536m")]
)
def test_memory_is_the_limit(shop: Shop, limit: str, spelled: str) -> None:
    shop.container["resources"] = {"limits": {"memory": limit}}
    assert shop.services()["shop"]["mem_limit"] == spelled


@pytest.mark.parametrize(("request_", "shares"), [("600m", 1638), ("2", 3072), ("0.5", 1536), ("1m", 1025)])
def test_the_processors_share_is_the_kubelets_on_top_of_the_default(shop: Shop, request_: str, shares: int) -> None:
    shop.container["resources"] = {"requests": {"cpu": request_}}
    assert shop.services()["shop"]["cpu_shares"] == shares


def test_grace_is_the_pods_and_the_clusters_default(shop: Shop) -> None:
    assert shop.services()["shop"]["stop_grace_period"] == "30s"
    shop.spec["terminationGracePeriodSeconds"] = 5
    assert shop.services()["shop"]["stop_grace_period"] == "5s"


def test_security_is_the_containers(shop: Shop) -> None:
    assert not {"read_only", "cap_drop", "security_opt"} & set(shop.services()["shop"])
    capabilities = {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}
    security = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": capabilities}
    shop.container["securityContext"] = security
    service = shop.services()["shop"]
    assert (service["read_only"], service["cap_drop"], service["cap_add"]) == (True, ["ALL"], ["NET_BIND_SERVICE"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_memory_volumes_belong_to_the_user_alone(shop: Shop) -> None:
    shop.mounts(tmp={"emptyDir": MEMORY})
    assert shop.services()["shop"]["tmpfs"] == ["/tmp:size=16m,mode=0700,uid=7,gid=8"]


def test_shared_memory_is_dockers_own(shop: Shop) -> None:
    shop.mounts(shm={"emptyDir": MEMORY})
    shop.container["volumeMounts"][0]["mountPath"] = "/dev/shm"
    service = shop.services()["shop"]
    assert service["shm_size"] == "16m"
    assert "tmpfs" not in service


def test_an_empty_directory_on_disk_is_a_volume_that_begins_empty(shop: Shop) -> None:
    shop.mounts(cache={"emptyDir": {}})
    (mount,) = shop.services()["shop"]["volumes"]
    assert mount == {"type": "volume", "source": "shop-cache", "target": "/cache", "volume": {"nocopy": True}}
    assert shop.tree()["files/own.list"] == b"7:8 /own/shop-cache\n"


def test_a_claim_is_a_volume(shop: Shop) -> None:
    shop.kind = "StatefulSet"
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    shop.more = {"volumeClaimTemplates": [claim]}
    shop.container["volumeMounts"] = [{"name": "data", "mountPath": "/var/data"}]
    (mount,) = shop.services()["shop"]["volumes"]
    assert (mount["source"], mount["target"]) == ("shop-data", "/var/data")


def handed(shop: Shop) -> list[str]:
    return shop.tree()["files/deliver.list"].decode().splitlines()


def test_files_of_a_generated_config_map_are_delivered(shop: Shop) -> None:
    shop.kustomization = {"configMapGenerator": [{"name": "shop-prepare", "namespace": "shop", "files": ["prepare.sh", "b.conf=a.conf"]}]}
    shop.files = {"kubernetes/prepare.sh": "#!/bin/sh\n", "kubernetes/a.conf": "x\n"}
    shop.mounts(prepare={"configMap": {"name": "shop-prepare", "defaultMode": 0o755}})
    assert handed(shop) == [
        "7:8 0555 /from/files/shop-prepare/b.conf /to/shop-prepare/b.conf",
        "7:8 0555 /from/files/shop-prepare/prepare.sh /to/shop-prepare/prepare.sh",
    ]
    assert shop.tree()["files/shop-prepare/b.conf"] == b"x\n"


def test_files_of_a_config_map_in_the_manifests_are_delivered(shop: Shop) -> None:
    data = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "words", "namespace": "shop"}, "data": {"a": "1", "b": "2"}}
    shop.objects = [data]
    shop.mounts(words={"configMap": {"name": "words", "items": [{"key": "b", "path": "two"}]}})
    assert handed(shop) == ["7:8 0444 /from/files/shop-words/two /to/shop-words/two"]
    assert shop.tree()["files/shop-words/two"] == b"2"


def test_the_ca_is_the_runs(shop: Shop) -> None:
    shop.mounts(trust={"configMap": {"name": "gpuaas-ca"}})
    assert handed(shop) == ["7:8 0444 /from/state/tls/ca.crt /to/shop-ca/ca.crt"]


def test_secrets_are_the_components_own_and_private(shop: Shop) -> None:
    shop.component["secrets"] = {"key": {"secret": "alone"}}
    shop.mounts(secrets={"secret": {"secretName": "shop-secrets", "defaultMode": 0o440}})
    assert handed(shop) == ["7:8 0400 /from/state/secrets/files/shop/key /to/shop-secrets/key"]


def test_a_certificate_is_the_endpoints(shop: Shop) -> None:
    shop.component["endpoints"] = {"www": {"health": "/", "purpose": "x"}}
    shop.mounts(tls={"secret": {"secretName": "www-tls"}})
    assert handed(shop) == [f"7:8 0400 /from/state/tls/www/tls.{end} /to/shop-www-tls/tls.{end}" for end in ("crt", "key")]


def test_an_exec_probe_is_the_health_check(shop: Shop) -> None:
    shop.container["readinessProbe"] = {"exec": {"command": ["ask", "$PORT"]}}
    assert shop.services()["shop"]["healthcheck"]["test"] == ["CMD", "ask", "$$PORT"]


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ({"httpGet": {"path": "/ready", "port": "http"}}, "/dev/tcp/127.0.0.1/8000 "),
        ({"httpGet": {"path": "/ready", "port": 9000, "scheme": "HTTP"}}, "GET /ready HTTP/1.0"),
        ({"tcpSocket": {"port": 9000}}, "/dev/tcp/127.0.0.1/9000 "),
    ],
)
def test_a_probe_over_the_network_is_asked_by_bash(shop: Shop, probe: dict[str, Any], said: str) -> None:
    shop.container["readinessProbe"] = probe
    test = shop.services()["shop"]["healthcheck"]["test"]
    assert test[:3] == ["CMD", "bash", "-c"]
    assert said in test[3]


class Answering(BaseHTTPRequestHandler):
    """Answers with the status of its path, and why."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.removeprefix("/")))
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b'{"missing": {"x": "does not answer"}}')

    def log_message(self, *_given: Any) -> None:
        """Nothing on the screen."""


@pytest.mark.parametrize(
    ("status", "rc", "said"), [(204, 0, ""), (302, 0, ""), (503, 1, 'answers 503: {"missing": {"x": "does not answer"}}')]
)
def test_who_is_not_ready_says_why(shop: Shop, status: int, rc: int, said: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        shop.container["readinessProbe"] = {"httpGet": {"path": f"/{status}", "port": server.server_port}}
        test = shop.services()["shop"]["healthcheck"]["test"]
        done = subprocess.run([word.replace("$$", "$") for word in test[1:]], capture_output=True, text=True, timeout=10, check=False)
        server.shutdown()
    assert (done.returncode, done.stdout.strip()) == (rc, said)


def test_a_start_may_take_as_long_as_the_startup_probe_lets_it(shop: Shop) -> None:
    assert shop.services()["shop"]["healthcheck"]["start_period"] == "5m"
    shop.container["startupProbe"] = {"tcpSocket": {"port": 1}, "periodSeconds": 1, "failureThreshold": 3600}
    assert shop.services()["shop"]["healthcheck"]["start_period"] == "3600s"


def test_a_service_comes_back_with_the_engine_unless_it_was_stopped(shop: Shop) -> None:
    assert shop.services()["shop"]["restart"] == "unless-stopped"


def test_a_job_of_the_component_ends_before_it_starts(shop: Shop) -> None:
    job = pod(args=["migrate"])
    del job["containers"][0]["readinessProbe"]
    shop.objects = [workload("Job", "shop-migrate", job)]
    services = shop.services()
    assert services["shop"]["depends_on"]["shop-migrate"] == {"condition": "service_completed_successfully"}
    assert services["shop-migrate"]["restart"] == "no"
    assert services["shop-migrate"]["command"] == ["migrate"]
    assert "healthcheck" not in services["shop-migrate"]


def test_a_job_that_comes_after_its_component_is_said_to(shop: Shop) -> None:
    shop.objects = [workload("Job", "shop-announce", pod())]
    shop.exceptions = {"containers": {"shop-announce": {"after": ["shop"], "why": "There is nothing to announce before."}}}
    services = shop.services()
    assert services["shop-announce"]["depends_on"]["shop"] == {"condition": "service_healthy"}
    assert "shop-announce" not in services["shop"]["depends_on"]


def test_containers_that_wait_for_each_other_are_refused(shop: Shop) -> None:
    one, two = ({"args": ["x"], "after": [other], "why": "x"} for other in ("two", "one"))
    shop.exceptions = {"containers": {"one": one, "two": two}}
    error = shop.refused()
    assert error.reason == "CONTRACT_CYCLE"
    assert "one -> two -> one" in error.seen


def test_what_only_compose_runs_has_no_data_of_the_component(shop: Shop) -> None:
    shop.mounts(cache={"emptyDir": {}}, tmp={"emptyDir": MEMORY})
    shop.container["command"] = ["serve"]
    shop.exceptions = {"containers": {"fill": {"command": ["fill", "$all"], "why": "Data to work with."}}}
    service = shop.services()["fill"]
    assert service["entrypoint"] == ["fill", "$$all"]
    assert service["tmpfs"] == ["/tmp:size=16m,mode=0700,uid=7,gid=8"]
    assert not {"volumes", "healthcheck", "ports"} & set(service)


def test_excepted_files_take_the_place_of_what_the_manifest_mounts(shop: Shop) -> None:
    shop.mounts(routes={"emptyDir": {}})
    shop.exceptions = {"files": {"routes": {"to": "/routes", "files": {"r.yml": "rendered/routes.yml"}, "why": "No Ingress."}}}
    (mount,) = shop.services()["shop"]["volumes"]
    assert mount == {"type": "volume", "source": "shop-routes", "target": "/routes", "read_only": True}
    assert handed(shop) == ["7:8 0444 /from/files/shop-routes/r.yml /to/shop-routes/r.yml"]


def test_a_file_that_nothing_renders_is_named(shop: Shop) -> None:
    shop.exceptions = {"files": {"routes": {"to": "/routes", "files": {"r.yml": "rendered/roads.yml"}, "why": "No Ingress."}}}
    error = shop.refused()
    assert error.reason == "CONTRACT_REFERENCE"
    assert "rendered/roads.yml" in error.seen


def test_another_component_of_the_machine_gets_a_port_of_its_own(shop: Shop) -> None:
    shop.exceptions = {"publish": {"port": 15000, "why": "Tools of this machine."}}
    (port,) = shop.services()["shop"]["ports"]
    assert port == {"host_ip": "127.0.0.1", "published": "15000", "target": 8000, "protocol": "tcp"}


def test_a_selector_is_no_matter_of_compose(shop: Shop) -> None:
    shop.more = {"selector": {"matchLabels": LABELS}, "replicas": 3}
    assert shop.services()["shop"]["image"] == "gpuaas-parity/shop"
