# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is pruned goes from the run's own cluster, whatever the shell says; a stub API server stands in for each.

The module that removes is kubernetes.core's own: what the stub saw is what a cluster would have seen.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.ledger import Ledger
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.stale import stale_in_own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import Record, write_record
from ansible_collections.gpuaas.parity.tests.unit.kube.pki import Pki, kubeconfig
from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Asked, Reply, Server, as_json, serve
from ansible_collections.gpuaas.parity.tests.unit.run.playing import play

OURS, SHARED = Pki(), Pki()
OBJECT = "/api/v1/namespaces/gpuaas-app/configmaps/left-over"
VERBS = ["delete", "get", "list"]


@contextmanager
def api_server(folder: Path, pki: Pki) -> Iterator[Server]:
    """An API server that has a config map that nobody has any more, until it is deleted, and an Ingress of somebody else."""
    folder.mkdir()
    meta = {
        "name": "left-over",
        "namespace": "gpuaas-app",
        "uid": "1",
        "labels": {"app.kubernetes.io/managed-by": "gpuaas.parity"},
        "managedFields": [{"manager": "gpuaas.parity", "operation": "Apply"}],
    }
    other = {"metadata": {"name": "other", "namespace": "research"}, "spec": {"rules": [{"host": "api.gpuaas.localhost"}]}}
    there = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}]
    kind = {"name": "configmaps", "singularName": "configmap", "namespaced": True, "kind": "ConfigMap", "verbs": VERBS}
    found = {"resource": "configmaps", "responseKind": {"group": "", "version": "v1", "kind": "ConfigMap"}, "scope": "Namespaced"}
    documents: dict[str, Any] = {
        "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.3"},
        "/api/v1/namespaces/kube-system": {"metadata": {"name": "kube-system", "uid": "our-uid"}},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [kind]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    }

    def answer(asked: Asked) -> Reply:
        if "APIGroupDiscoveryList" in asked.headers.get("accept", ""):
            groups = [{"metadata": {}, "versions": [{"version": "v1", "resources": [{**found, "verbs": VERBS}]}]}]
            return as_json({"items": groups if asked.path == "/api" else []})
        if asked.path == "/api":
            return as_json({"kind": "APIVersions", "versions": ["v1"]})
        if asked.path == "/api/v1/configmaps":
            return as_json({"items": there})
        if asked.path == "/apis/networking.k8s.io/v1/ingresses":
            return as_json({"items": [other]})
        if asked.path == OBJECT and there:
            if asked.method == "DELETE" and "dryRun" not in asked.query:
                there.clear()
                return as_json({"kind": "Status", "apiVersion": "v1", "status": "Success"})
            return as_json(there[0])
        if asked.path in documents:
            return as_json(documents[asked.path])
        return as_json({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}, 404)

    pair = folder / "server.pem"
    pair.write_bytes(b"".join(pki.pair("kube-apiserver", "127.0.0.1")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=pki.ca_pem.decode())
    with serve(answer, {"": context}) as server:
        yield server


CONTRACT = {
    "contract": 1,
    "mode": "kind",
    "target": "kubernetes",
    "services": {},
    "secrets": {},
    "endpoints": {"api": {"host": "api.gpuaas.localhost"}},
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state directory of a run that has applied all that was rendered: nothing."""
    folder = tmp_path / "kind"
    base = folder / "rendered" / "control_plane"
    base.mkdir(parents=True)
    (base / "kustomization.yaml").touch()
    (folder / "rendered" / "contract.json").write_text(json.dumps(CONTRACT))
    ca = hashlib.sha256(OURS.ca_pem).hexdigest()
    write_record(folder, Record("gpuaas-parity", "owner", "ready", uid="our-uid", ca_sha256=ca, containers=("node",)))
    Ledger(folder).enter([base], [])
    return folder


@pytest.fixture
def ours(tmp_path: Path, state: Path) -> Iterator[Server]:
    with api_server(tmp_path / "ours", OURS) as server:
        (state / "kubeconfig").write_text(yaml.safe_dump(kubeconfig(f"https://127.0.0.1:{server.port}", OURS)))
        yield server


def deleted(server: Server) -> list[str]:
    return [asked.path for asked in server.asked if asked.method not in ("GET", "HEAD") and "dryRun" not in asked.query]


def prune(state: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    role = {"name": "gpuaas.parity.cluster", "tasks_from": "prune"}
    variables = {"parity_cluster": "gpuaas-parity", "parity_state_dir": str(state), "ansible_python_interpreter": sys.executable}
    task = {"name": "Prune", "ansible.builtin.include_role": role, "vars": variables}
    return play(state.parent, [task], *options, **environment)


def test_a_leftover_goes_and_the_shell_leads_nowhere_else(state: Path, ours: Server, tmp_path: Path) -> None:
    """Everything that kubernetes.core and its client take from the environment names another cluster."""
    before = set(state.iterdir())
    with api_server(tmp_path / "shared", SHARED) as shared, serve(lambda _asked: Reply(502)) as proxy:
        url = f"https://127.0.0.1:{shared.port}"
        ambient = tmp_path / "config"
        ambient.write_text(yaml.safe_dump(kubeconfig(url, SHARED)))
        done = prune(
            state,
            KUBECONFIG=str(ambient),
            K8S_AUTH_KUBECONFIG=str(ambient),
            K8S_AUTH_CONTEXT="shared",
            K8S_AUTH_HOST=url,
            K8S_AUTH_API_KEY="token",
            K8S_AUTH_USERNAME="somebody",
            K8S_AUTH_PASSWORD="word",
            K8S_AUTH_VERIFY_SSL="no",
            K8S_AUTH_PROXY=f"http://127.0.0.1:{proxy.port}",
            HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}",
        )
        assert done.returncode == 0, done.stdout
        assert shared.asked == [] and proxy.asked == []
    assert "no component has any more: ConfigMap gpuaas-app/left-over" in done.stdout
    assert deleted(ours) == [OBJECT]
    (asked,) = (asked for asked in ours.asked if asked.method == "DELETE")
    assert json.loads(asked.body)["propagationPolicy"] == "Background"
    # What the client discovered goes with the run's folder.
    assert {path.name.partition("-")[0] for path in set(state.iterdir()) - before} == {"k8srcp"}


def test_an_ingress_that_takes_our_requests_is_named_and_left(state: Path, ours: Server) -> None:
    done = prune(state)
    removal = f"kubectl --kubeconfig={state}/kubeconfig delete ingress.networking.k8s.io other --namespace=research"
    said = f"Ingress research/other claims api.gpuaas.localhost; if nobody needs it: {removal}"
    assert said in " ".join(done.stdout.split())
    assert deleted(ours) == [OBJECT]


def test_check_mode_names_it_and_leaves_it(state: Path, ours: Server) -> None:
    done = prune(state, "--check")
    assert done.returncode == 0, done.stdout
    assert "no component has any more: ConfigMap gpuaas-app/left-over" in done.stdout
    assert re.search("would change .*prune | Remove it", done.stdout)
    assert deleted(ours) == []


def test_without_leftovers_kubernetes_core_does_not_run(state: Path, ours: Server) -> None:
    has = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "left-over", "namespace": "gpuaas-app"}}
    Ledger(state).enter([state / "rendered" / "control_plane"], [has])
    done = prune(state)
    assert done.returncode == 0, done.stdout
    assert {asked.headers["user-agent"] for asked in ours.asked} == {"gpuaas.parity"}


def test_another_cluster_is_asked_nothing(state: Path, tmp_path: Path) -> None:
    with api_server(tmp_path / "shared", SHARED) as shared:
        (state / "kubeconfig").write_text(yaml.safe_dump(kubeconfig(f"https://127.0.0.1:{shared.port}", SHARED)))
        with pytest.raises(ParityError) as caught:
            stale_in_own_cluster(state, state / "kubeconfig", [])
        assert caught.value.reason == "KUBECONFIG_FOREIGN"
        assert shared.asked == []
