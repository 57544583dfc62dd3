# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An apply never reaches a cluster that is not the run's own. A stub API server stands in for the shared one.

The kubectl is the real one: what the stub saw is what a cluster would have seen.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.apply import apply_to_own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.guard import own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import Record, write_record
from ansible_collections.gpuaas.parity.tests.unit.kube.pki import Pki, kubeconfig
from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Asked, Reply, Server, as_json, serve
from ansible_collections.gpuaas.parity.tests.unit.run.playing import play_task

ROOT = Path(__file__).parents[3]
KUBECTL = Path(sys.executable).with_name("kubectl")
OURS, SHARED = Pki(), Pki()
RESOURCES = [{"name": "configmaps", "singularName": "", "namespaced": True, "kind": "ConfigMap", "verbs": ["get", "patch"]}]


@contextmanager
def api_server(folder: Path, pki: Pki, uid: str) -> Iterator[Server]:
    """An API server that has one namespace and takes every config map, and remembers all that it is asked."""
    folder.mkdir()

    def answer(asked: Asked) -> Reply:
        match asked.path:
            case "/api/v1/namespaces/kube-system":
                return as_json({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "kube-system", "uid": uid}})
            case "/api":
                return as_json({"kind": "APIVersions", "versions": ["v1"]})
            case "/apis":
                return as_json({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
            case "/api/v1":
                return as_json({"kind": "APIResourceList", "groupVersion": "v1", "resources": RESOURCES})
            case "/api/v1/namespaces/default/configmaps/a" if asked.method == "PATCH":
                meta = {
                    "name": "a",
                    "namespace": "default",
                    "uid": "1",
                    "resourceVersion": "1",
                    "creationTimestamp": datetime.now(UTC).isoformat(),
                }
                return as_json({"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta})
        missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404, "message": "none"}
        return as_json(missing, 404)

    pair = folder / "server.pem"
    pair.write_bytes(b"".join(pki.pair("kube-apiserver", "127.0.0.1")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=pki.ca_pem.decode())
    with serve(answer, {"": context}) as server:
        yield server


def writes(server: Server) -> list[str]:
    return [f"{asked.method} {asked.path}" for asked in server.asked if asked.method not in ("GET", "HEAD")]


RECORD = Record("gpuaas-parity", "owner", "ready", uid="our-uid", ca_sha256=hashlib.sha256(OURS.ca_pem).hexdigest(), containers=("node",))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state directory of a run whose cluster was made, and one config map to apply."""
    folder = tmp_path / "kind"
    (folder / "rendered" / "base").mkdir(parents=True)
    (folder / "rendered" / "contract.json").write_text(json.dumps({"contract": 1, "mode": "kind", "target": "kubernetes"}))
    (folder / "rendered" / "base" / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    a = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}, "data": {"x": "y"}}
    (folder / "rendered" / "base" / "a.yaml").write_text(json.dumps(a))
    write_record(folder, RECORD)
    return folder


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Server]:
    with api_server(tmp_path / "ours", OURS, "our-uid") as server:
        yield server


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Server]:
    """The shared cluster, at the end of a tunnel that begins on loopback."""
    with api_server(tmp_path / "shared", SHARED, "shared-uid") as server:
        yield server


def point(state: Path, server: Server | str, pki: Pki = OURS, **changes: Any) -> Path:
    url = server if isinstance(server, str) else f"https://127.0.0.1:{server.port}"
    file = state / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig(url, pki, **changes)))
    return file


def act(state: Path, file: Path | None = None) -> Any:
    # The stub has no schema to validate with.
    program = state.parent / "kubectl"
    program.write_text(f'#!/bin/sh\ncase " $* " in *" apply "*) set -- "$@" --validate=false;; esac\nexec {KUBECTL} "$@"\n')
    program.chmod(0o755)
    return apply_to_own_cluster(program, state, file or state / "kubeconfig", [state / "rendered" / "base"], state.parent / "cache")


def refusal(state: Path, file: Path | None = None) -> ParityError:
    with pytest.raises(ParityError) as caught:
        act(state, file)
    assert not list(state.glob(".own-cluster-*"))
    return caught.value


def test_our_own_cluster_is_written_to_after_one_small_question(state: Path, ours: Server) -> None:
    point(state, ours)
    assert act(state).created == ["ConfigMap default/a"]
    assert writes(ours) == ["PATCH /api/v1/namespaces/default/configmaps/a"]
    guard = [asked for asked in ours.asked if asked.headers["user-agent"] == "gpuaas.parity"]
    # Afterwards: whether a pod is older than what was applied.
    assert [(asked.method, asked.path) for asked in guard] == [("GET", "/api/v1/namespaces/kube-system"), ("GET", "/api/v1/pods")]
    assert (ours.asked[0], ours.asked[-1]) == tuple(guard)
    assert not list(state.glob(".own-cluster-*"))


def test_a_tunnel_to_a_shared_cluster_is_not_written_to(state: Path, shared: Server) -> None:
    """Loopback server, and whoever put the kubeconfig there brought the shared CA along."""
    point(state, shared, SHARED)
    assert refusal(state).reason == "KUBECONFIG_FOREIGN"
    assert shared.asked == []


def test_a_server_behind_our_port_that_another_ca_signed_is_not_spoken_to(state: Path, shared: Server) -> None:
    """Our own kubeconfig, but the port leads to the shared cluster by now."""
    point(state, shared, OURS)
    assert refusal(state).reason == "KUBE_API_UNREACHABLE"
    assert shared.asked == []


def test_another_cluster_of_the_same_ca_is_not_written_to(state: Path, tmp_path: Path) -> None:
    with api_server(tmp_path / "twin", OURS, "another-uid") as twin:
        point(state, twin)
        error = refusal(state)
        assert error.reason == "CLUSTER_NOT_OURS"
        assert "another-uid" in error.seen and "our-uid" in error.seen
        assert writes(twin) == []
        assert len(twin.asked) == 1


@pytest.mark.parametrize("url", ["https://kubernetes.example.com:6443", "https://10.0.0.1:6443", "https://localhost.example.com"])
def test_a_server_that_is_not_on_loopback_is_not_spoken_to(state: Path, url: str) -> None:
    point(state, url)
    assert refusal(state).reason == "KUBECONFIG_NOT_LOCAL"


def test_a_second_context_that_is_made_current_does_not_help(state: Path, ours: Server, shared: Server) -> None:
    """A merged kubeconfig, switched to the shared cluster."""
    mine, theirs = kubeconfig(f"https://127.0.0.1:{ours.port}"), kubeconfig(f"https://127.0.0.1:{shared.port}", SHARED)
    theirs["clusters"][0]["name"] = theirs["contexts"][0]["name"] = theirs["contexts"][0]["context"]["cluster"] = "shared"
    theirs["users"][0]["name"] = theirs["contexts"][0]["context"]["user"] = "someone"
    merged = {**mine, "current-context": "shared", **{key: mine[key] + theirs[key] for key in ("clusters", "contexts", "users")}}
    (state / "kubeconfig").write_text(yaml.safe_dump(merged))
    assert refusal(state).reason == "KUBECONFIG_FOREIGN"
    assert shared.asked == [] and ours.asked == []


def test_a_proxy_in_the_kubeconfig_is_not_gone_through(state: Path, ours: Server) -> None:
    """kubectl would obey `proxy-url`; it gets a kubeconfig of the checked values alone."""
    seen: list[Asked] = []

    def proxy(asked: Asked) -> Reply:
        seen.append(asked)
        return Reply(502)

    with serve(proxy) as server:
        file = point(state, ours)
        document = yaml.safe_load(file.read_text())
        document["clusters"][0]["cluster"]["proxy-url"] = f"http://127.0.0.1:{server.port}"
        file.write_text(yaml.safe_dump(document))
        assert act(state).created == ["ConfigMap default/a"]
        assert server.asked == []
    assert writes(ours)


def test_what_was_checked_is_what_is_used(state: Path, ours: Server, shared: Server) -> None:
    """The file is exchanged between the check and the apply; the shell names a third cluster."""
    file = point(state, ours)
    with own_cluster(state, file) as pinned:
        point(state, shared, SHARED)
        argv = [
            KUBECTL,
            f"--kubeconfig={pinned}",
            f"--cache-dir={state / 'cache'}",
            "apply",
            "--server-side",
            "--validate=false",
            "--filename=-",
        ]
        text = (state / "rendered" / "base" / "a.yaml").read_text()
        subprocess.run(argv, input=text, text=True, check=True, capture_output=True)
        assert pinned.stat().st_mode & 0o777 == 0o600
        assert pinned.parent.stat().st_mode & 0o777 == 0o700
    assert not pinned.exists()
    assert writes(ours) and shared.asked == []


def test_the_users_own_kubeconfig_is_never_used(state: Path, shared: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ambient = tmp_path / "home" / "config"
    ambient.parent.mkdir()
    ambient.write_text(yaml.safe_dump(kubeconfig(f"https://127.0.0.1:{shared.port}", SHARED)))
    monkeypatch.setenv("KUBECONFIG", str(ambient))
    assert refusal(state).reason == "CLUSTER_ABSENT"
    assert refusal(state, ambient).reason == "KUBECONFIG_FOREIGN"
    (state / "kubeconfig").symlink_to(ambient)
    assert refusal(state).reason == "KUBECONFIG_FOREIGN"
    assert shared.asked == []


def without(state: Path) -> None:
    (state / "cluster.json").unlink()


def cut_short(state: Path) -> None:
    (state / "cluster.json").write_text("{")


def half_made(state: Path) -> None:
    write_record(state, replace(RECORD, phase="creating"))


def unnamed(state: Path) -> None:
    write_record(state, replace(RECORD, uid=""))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (without, "CLUSTER_ABSENT"),
        (cut_short, "CLUSTER_RECORD_CORRUPT"),
        (half_made, "CLUSTER_HALF_MADE"),
        (unnamed, "CLUSTER_HALF_MADE"),
    ],
)
def test_without_a_record_of_who_is_ours_nobody_is(state: Path, ours: Server, spoil: Callable[[Path], None], reason: str) -> None:
    point(state, ours)
    spoil(state)
    assert refusal(state).reason == reason
    assert ours.asked == []


@pytest.mark.parametrize("target", ["gitops", "compose"])
def test_a_rendering_for_somewhere_else_is_not_applied(state: Path, ours: Server, target: str) -> None:
    point(state, ours)
    (state / "rendered" / "contract.json").write_text(json.dumps({"mode": "platform_control", "target": target}))
    error = refusal(state)
    assert error.reason == "MODE_TARGET_REFUSED"
    assert "platform_control" in error.seen and target in error.seen
    assert ours.asked == []


@pytest.mark.parametrize("text", [None, "", "{}", '{"mode": "kind"}', "[]"])
def test_without_a_rendering_that_says_what_it_is_for_nothing_is_applied(state: Path, ours: Server, text: str | None) -> None:
    point(state, ours)
    file = state / "rendered" / "contract.json"
    file.unlink() if text is None else file.write_text(text)
    assert refusal(state).reason == "CONTRACT_NOT_RENDERED"
    assert ours.asked == []


def test_the_action_is_guarded(state: Path, shared: Server, tmp_path: Path) -> None:
    point(state, shared, SHARED)
    task = {"bases": [str(state / "rendered" / "base")], "kubeconfig": str(state / "kubeconfig"), "state_dir": str(state)}
    task["cache_dir"] = str(tmp_path / "cache")
    done = play_task(tmp_path, "kustomize_apply", task)
    assert done.returncode != 0
    assert "KUBECONFIG_FOREIGN" in done.stdout
    assert shared.asked == []
