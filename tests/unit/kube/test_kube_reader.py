"""The reader: only our cluster, only reading, and failures that say what was seen."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.kubeconfig import Kubeconfig
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader, resource_path
from ansible_collections.gpuaas.parity.tests.unit.kube.pki import PKI, kubeconfig
from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Asked, Reply, Server, as_json, serve


def answer(asked: Asked) -> Reply:
    match asked.path:
        case "/readyz":
            return Reply(body="ok")
        case "/api/v1/pods":
            return as_json({"items": [{"metadata": {"name": "a"}}, "odd"], "asked": asked.query})
        case "/api/v1/namespaces/n/pods/a":
            return as_json({"metadata": {"name": "a"}})
        case "/api/v1/namespaces/n/pods/a/log":
            return Reply(body=f"one\ntwo {json.dumps(asked.query, sort_keys=True)}\n")
        case "/api/v1/namespaces/n/configmaps/a" if asked.method == "PATCH":
            return as_json({"metadata": {"name": "a"}, "data": {"A": "1"}})
        case "/api/v1/namespaces/n/secrets/s":
            return as_json({"message": "secrets is forbidden"}, 403)
        case "/api/v1/nodes":
            return Reply(500, "boom")
    return as_json({"message": "not found"}, 404)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[tuple[Server, KubeReader]]:
    pair = tmp_path / "server.pem"
    pair.write_bytes(b"".join(PKI.pair("kube-apiserver", "127.0.0.1")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=PKI.ca_pem.decode())
    with serve(answer, {"": context}) as server:
        file = tmp_path / "kubeconfig"
        file.write_text(yaml.safe_dump(kubeconfig(f"https://127.0.0.1:{server.port}")))
        with KubeReader.from_file(file) as reader:
            yield server, reader


def test_it_lists_with_the_client_certificate_from_the_watch_cache(api: tuple[Server, KubeReader]) -> None:
    server, reader = api
    assert reader.list("pods", labels="a=b", fields="type=Warning") == [{"metadata": {"name": "a"}}]
    assert server.asked[0].query == {"resourceVersion": "0", "labelSelector": "a=b", "fieldSelector": "type=Warning"}


def test_one_object_none_and_text(api: tuple[Server, KubeReader]) -> None:
    _server, reader = api
    assert reader.read("pods", "a", "n") == {"metadata": {"name": "a"}}
    assert reader.read("pods", "b", "n") is None
    assert reader.text("/readyz") == "ok"


def test_what_an_apply_would_make_is_asked_for_and_not_made(api: tuple[Server, KubeReader]) -> None:
    server, reader = api
    wanted = {"metadata": {"name": "a"}, "data": {"A": "1"}}
    assert reader.would_be("/api/v1/namespaces/n/configmaps/a", wanted, "me") == wanted
    (asked,) = server.asked
    assert (asked.method, json.loads(asked.body), asked.headers["content-type"]) == ("PATCH", wanted, "application/apply-patch+yaml")
    assert asked.query == {"dryRun": "All", "fieldManager": "me", "force": "true", "fieldValidation": "Ignore"}
    with pytest.raises(ParityError, match="secrets is forbidden"):
        reader.would_be("/api/v1/namespaces/n/secrets/s", wanted, "me")


def test_logs_are_streamed_by_line(api: tuple[Server, KubeReader]) -> None:
    _server, reader = api
    lines = list(reader.logs("n", "a", "c", tail=5, follow=True, timestamps=True))
    assert lines[0] == "one"
    assert json.loads(lines[1][4:]) == {"container": "c", "follow": "true", "tailLines": "5", "timestamps": "true"}


def test_refusals_say_what_the_api_said(api: tuple[Server, KubeReader]) -> None:
    _server, reader = api
    with pytest.raises(ParityError, match="secrets is forbidden") as caught:
        reader.read("secrets", "s", "n")
    assert caught.value.reason == "KUBE_API_REFUSED"
    with pytest.raises(ParityError, match="500 boom"):
        reader.list("nodes")
    with pytest.raises(ParityError, match="KUBE_API_REFUSED"):
        list(reader.logs("n", "gone"))
    with pytest.raises(ParityError, match="KUBE_API_REFUSED"):
        reader.text("/nowhere")


def test_nobody_answers() -> None:
    with KubeReader(Kubeconfig.parse(kubeconfig("https://127.0.0.1:1"))) as reader, pytest.raises(ParityError) as caught:
        reader.list("pods")
    assert caught.value.reason == "KUBE_API_UNREACHABLE"


def test_paths() -> None:
    assert resource_path("jobs", "n", "j") == "/apis/batch/v1/namespaces/n/jobs/j"
    assert resource_path("nodes", name="x") == "/api/v1/nodes/x"
    assert resource_path("pods") == "/api/v1/pods"


@pytest.mark.parametrize("server", ["https://kubernetes.example.com", "https://10.0.0.1:6443", "", "https://localhost.evil"])
def test_a_server_that_is_not_here_is_refused(tmp_path: Path, server: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig(server)))
    with pytest.raises(ParityError) as caught:
        KubeReader.from_file(file)
    assert caught.value.reason == "KUBECONFIG_NOT_LOCAL"


def test_plain_http_is_refused() -> None:
    with pytest.raises(ParityError, match="not https"):
        Kubeconfig.parse(kubeconfig("http://127.0.0.1:6443"))


@pytest.mark.parametrize("server", ["https://127.0.0.1:6443", "https://[::1]:6443", "https://localhost:6443"])
def test_loopback_servers_are_accepted(server: str) -> None:
    assert Kubeconfig.parse(kubeconfig(server)).server == server


def test_a_missing_file_means_no_cluster(tmp_path: Path) -> None:
    with pytest.raises(ParityError) as caught:
        Kubeconfig.load(tmp_path / "kubeconfig")
    assert caught.value.reason == "CLUSTER_ABSENT"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just text",
        "a: [",
        yaml.safe_dump(kubeconfig("https://127.0.0.1:1", users=[])),
        yaml.safe_dump(kubeconfig("https://127.0.0.1:1", **{"current-context": "other"})),
        yaml.safe_dump(kubeconfig("https://127.0.0.1:1", users=[{"name": "admin", "user": {"client-certificate-data": "%%%"}}])),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(ParityError) as caught:
        Kubeconfig.load(file)
    assert caught.value.reason == "KUBECONFIG_INVALID"
    assert str(file) in caught.value.seen


def test_a_directory_in_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParityError, match="KUBECONFIG_INVALID"):
        Kubeconfig.load(tmp_path)


def test_certificates_that_cannot_be_used_are_said_to_be_so_without_showing_them() -> None:
    user = {"client-certificate-data": base64.b64encode(b"x").decode(), "client-key-data": base64.b64encode(b"hidden").decode()}
    config = Kubeconfig.parse(kubeconfig("https://127.0.0.1:1", users=[{"name": "admin", "user": user}]))
    with pytest.raises(ParityError) as caught:
        KubeReader(config)
    assert caught.value.reason == "KUBECONFIG_INVALID"
    assert "hidden" not in str(caught.value)
    assert "hidden" not in repr(config)
