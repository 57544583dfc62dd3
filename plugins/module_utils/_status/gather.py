# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gather the status within a second: bounded reads, side by side, and nothing that waits."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.rollout import problem, replicas, why
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.parse import provided
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.conditions import holds
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.pods import Blocker, restarts
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx, x509
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed, run
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._status import causes, compose
from ansible_collections.gpuaas.parity.plugins.module_utils._status.ages import age

Object = dict[str, Any]
_PATIENCE = 5.0  # seconds that any single answer may take; on a busy machine a handshake alone takes one
_PLURALS = ("deployments", "statefulsets", "daemonsets")
_TRUST = "sudo install -m 0644 {ca} /usr/local/share/ca-certificates/{name}.crt && sudo update-ca-certificates"


@dataclass(frozen=True)
class Place:
    """Where a run keeps its state, and the name of its cluster; without a kubeconfig there is none to look at."""

    cluster: str
    state_dir: Path
    kubeconfig: Path | None = None

    @property
    def node(self) -> str:
        return f"{self.cluster}-control-plane"


def _brief(argv: Sequence[str], **given: Any) -> Completed:
    return run(argv, **{**given, "timeout": 2 * _PATIENCE})


def _node_container(place: Place, docker: Docker) -> Object:
    containers = docker.objects("container", [place.node])
    if not containers:
        raise ParityError("CLUSTER_ABSENT", f"there is no cluster {place.cluster}", "{up}")
    container = containers[0]
    state = str((container.get("State") or {}).get("Status"))
    if state != "running":
        raise ParityError("NOT_READY", f"the node {place.node} is {state}", "{up} starts it again")
    return container


def _cluster(place: Place, container: Object, snapshot: Snapshot, now: datetime.datetime) -> Object:
    nodes = snapshot.all("nodes")
    node = next((item for item in nodes if item["metadata"]["name"] == place.node), nodes[0] if nodes else {})
    return {
        "name": place.cluster,
        "node": place.node,
        "node_image": str((container.get("Config") or {}).get("Image") or ""),
        "kubernetes": str(((node.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion") or "unknown"),
        "age_seconds": age((node.get("metadata") or {}).get("creationTimestamp"), now),
        "ready": holds(node, "Ready"),
    }


def component(snapshot: Snapshot, name: str, namespace: str, now: datetime.datetime) -> Object:
    """A component's row: replicas ready and wanted, age of its oldest pod, restarts, and what blocks it.

    It is ``starting`` while a pod of it may still become ready by itself.
    """
    row: Object = {"name": name, "ready": 0, "wanted": 1, "age_seconds": 0, "restarts": 0, "reason": "", "blocker": "", "starting": False}
    for plural in _PLURALS:
        workload = snapshot.find(plural, namespace, name)
        if workload is None:
            continue
        labels = ((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        pods = snapshot.pods(namespace, labels)
        row["ready"], row["wanted"] = replicas(plural, workload)
        row["age_seconds"] = max((age(pod["metadata"].get("creationTimestamp"), now) for pod in pods), default=0)
        row["restarts"] = sum(restarts(pod) for pod in pods)
        wrong = problem(plural, workload)
        if wrong:
            found = why(snapshot, namespace, workload) or Blocker(wrong)
            # Whatever does not become ready by itself has a reason id of its own.
            row |= {"reason": found.reason, "blocker": found.seen, "starting": bool(pods) and found.reason == Blocker.reason}
        return row
    job = snapshot.find("jobs", namespace, name)
    if job is None:
        return row | {"reason": Blocker.reason, "blocker": f"not in namespace {namespace}"}
    status = job.get("status") or {}
    row["ready"], row["age_seconds"] = int(status.get("succeeded") or 0), age(job["metadata"].get("creationTimestamp"), now)
    if not row["ready"]:
        row |= {"reason": Blocker.reason, "blocker": "its job is not complete", "starting": bool(status.get("active"))}
    return row


def _endpoint(http: httpx.Client, name: str, endpoint: Object) -> Object:
    try:
        response = http.get(f"{endpoint['url']}{endpoint.get('health', '/')}")
        ok, now = response.status_code == 200, str(response.status_code)
    except httpx.TransportError as error:
        ok, now = False, f"no answer ({type(error).__name__})"
    return {"name": name, "url": endpoint["url"], "ok": ok, "now": now, "purpose": endpoint.get("purpose", "")}


def _endpoints(place: Place, contract: Object) -> list[Object]:
    items = sorted(contract["endpoints"].items())
    try:
        http = client(place.state_dir / "tls" / "ca.crt", timeout=_PATIENCE)
    except OSError as error:
        return [_row_without_ca(name, endpoint, error) for name, endpoint in items]
    with http, ThreadPoolExecutor(max(1, len(items))) as pool:
        return list(pool.map(lambda item: _endpoint(http, *item), items))


def _row_without_ca(name: str, endpoint: Object, error: OSError) -> Object:
    now = f"no CA to verify it with ({type(error).__name__})"
    return {"name": name, "url": endpoint["url"], "ok": False, "now": now, "purpose": endpoint.get("purpose", "")}


def users(state_dir: Path) -> list[Object]:
    """The realm's users and its administrator, with the place of each password and never the password."""
    try:
        realm = json.loads((state_dir / "rendered" / "realm.json").read_text(encoding="utf-8"))
        rows = [(name, ", ".join(user.get("roles") or []), user["password"]) for name, user in realm["users"].items()]
        rows.append((realm["admin"]["username"], "administrator", realm["admin"]["password"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    file = str(state_dir / "secrets" / "secrets.yml")
    return [{"user": name, "role": role, "password_file": file, "password_key": key} for name, role, key in rows]


def authority(state_dir: Path, name: str, now: datetime.datetime) -> Object:
    """The CA: its file, its end, and the command that makes this machine trust it, which is offered and not needed.

    ``name`` is that of the cluster or project: each platform has a CA of its own, and one must not replace another's.
    """
    file = state_dir / "tls" / "ca.crt"
    row: Object = {"path": str(file), "not_after": "", "days_left": 0, "trust": _TRUST.format(ca=file, name=name)}
    try:
        ends = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return row
    return {**row, "not_after": ends.isoformat(timespec="seconds"), "days_left": (ends - now).days}


def _of_cluster(place: Place, docker: Docker, now: datetime.datetime) -> tuple[Object, Object]:
    container = _node_container(place, docker)
    contract = read_contract(place.state_dir)
    kubeconfig = place.kubeconfig or place.state_dir / "kubeconfig"
    with ThreadPoolExecutor(1) as pool, KubeReader.from_file(kubeconfig, timeout=_PATIENCE) as reader:
        answers = pool.submit(_endpoints, place, contract)
        snapshot = Snapshot(reader)
        cluster = _cluster(place, container, snapshot, now)
        rows = [component(snapshot, name, str(contract["services"][name]["namespace"]), now) for name in _ours(contract)]
        return contract, {"cluster": cluster, "components": rows, "endpoints": answers.result()}


def _is_project(place: Place) -> bool:
    if place.kubeconfig is None:
        return True
    try:
        return target_of(read_contract(place.state_dir)) == "compose"
    except ParityError:  # of a cluster something may stand all the same
        return False


def _of_project(place: Place, docker: Docker, now: datetime.datetime) -> tuple[Object, Object]:
    if not (place.state_dir / "rendered" / "contract.json").exists():
        raise ParityError("PROJECT_ABSENT", f"{place.state_dir} holds no rendered contract")
    contract = read_contract(place.state_dir)
    if target_of(contract) != "compose":
        raise ParityError("KUBECONFIG_INVALID", "no kubeconfig is given, and the contract is for a cluster", "give the option kubeconfig")
    project = Project(docker, str(contract.get("project") or ""))
    row = compose.project_row(project, now)
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(_endpoints, place, contract)
        rows = [compose.component(project, name, now) for name in _ours(contract)]
        return contract, {"project": row, "components": rows, "endpoints": answers.result()}


def _ours(contract: Object) -> list[str]:
    return [name for name in contract["services"] if not provided(contract, name)]


def gather(place: Place, docker: Docker | None = None) -> Object:
    """Everything that the status shows, and whether the platform is ready.

    That is a cluster, or the Compose project of a contract whose target is ``compose``. Raises ParityError
    ``CLUSTER_ABSENT`` or ``PROJECT_ABSENT``, ``NOT_READY`` when the node does not run, ``CONTRACT_NOT_RENDERED``,
    and what Docker, the kubeconfig or the API are refused or unreachable with.
    """
    now, docker = datetime.datetime.now(datetime.UTC), docker or Docker(_brief)
    contract, found = (_of_project if _is_project(place) else _of_cluster)(place, docker, now)
    base = found.get("cluster") or found["project"]
    components = causes.of_components(contract["services"], found["components"])
    found |= {"components": components, "endpoints": causes.of_endpoints(contract, found["endpoints"], components)}
    ready = base["ready"] and all(row["ok"] for row in found["endpoints"]) and not any(row["blocker"] for row in found["components"])
    return {
        "ready": ready,
        "mode": contract.get("mode"),
        "lane": contract.get("lane"),
        **found,
        "users": users(place.state_dir),
        "ca": authority(place.state_dir, base["name"], now),
    }


def blockers(status: Object) -> list[str]:
    """What keeps the platform from being ready, one thing each, causes first."""
    cluster, project = status.get("cluster"), status.get("project")
    found = [f"node {cluster['node']} is not Ready"] if cluster and not cluster["ready"] else []
    found += [project["blocker"]] if project and project["blocker"] else []
    return found + causes.in_words(status["components"], status["endpoints"])
