"""What runs in the cluster is what was pinned, confined, and free of secrets."""

from __future__ import annotations

import json

import pytest

from .running import Running, containers, name_of

# Everything a user of the API can read that is not a Secret.
READABLE = (
    "configmaps",
    "cronjobs",
    "deployments",
    "events",
    "ingresses",
    "jobs",
    "pods",
    "replicasets",
    "services",
    "statefulsets",
)
# Those that talk to the API server themselves.
WITH_API_ACCESS = {"traefik"}


@pytest.mark.parametrize("resource", READABLE)
def test_no_object_but_a_secret_holds_a_secret(running: Running, resource: str) -> None:
    leaks = {name_of(item): running.leaks(json.dumps(item)) for item in running.objects(resource)}
    assert not {name: found for name, found in leaks.items() if found}


def test_every_namespace_of_ours_enforces_restricted(running: Running) -> None:
    labels = {item["metadata"]["name"]: item["metadata"].get("labels", {}) for item in running.objects("namespaces")}
    assert running.namespaces
    enforced = {name: labels[name].get("pod-security.kubernetes.io/enforce") for name in running.namespaces}
    assert enforced == dict.fromkeys(running.namespaces, "restricted")


def test_a_privileged_pod_is_refused(running: Running) -> None:
    spec = {"containers": [{"name": "a", "image": "a", "securityContext": {"privileged": True}}]}
    for namespace in sorted(running.namespaces):
        overrides = json.dumps({"apiVersion": "v1", "spec": spec})
        kubectl = running.kubectl_program
        answer = running.host.run(f"{kubectl} --namespace=%s run refused --image=a --dry-run=server --overrides=%s", namespace, overrides)
        assert answer.rc != 0, namespace
        assert "violates PodSecurity" in answer.stderr, namespace


def test_every_service_of_the_contract_runs(running: Running) -> None:
    seen = {pod["metadata"]["labels"].get("app.kubernetes.io/name") for pod in running.objects("pods")}
    assert set(running.contract["services"]) <= seen


def test_every_pod_is_ready_or_done(running: Running) -> None:
    states = {
        pod["metadata"]["name"]: pod["status"]["phase"] == "Succeeded"
        or {c["type"]: c["status"] for c in pod["status"].get("conditions", [])}.get("Ready") == "True"
        for pod in running.pods
    }
    assert states
    assert not [name for name, well in states.items() if not well]


def test_every_image_is_the_pinned_digest(running: Running) -> None:
    pinned = {image["ref"] for image in running.pinned.values()}
    used = {container["image"] for pod in running.pods for container in containers(pod)}
    assert used
    assert used <= pinned
    assert all("@sha256:" in ref for ref in pinned)


def test_every_service_runs_its_own_image(running: Running) -> None:
    # What the node brings with it has no image of its own.
    services = {name: service["image"] for name, service in running.contract["services"].items() if "image" in service}
    wanted = {name: running.pinned[image]["ref"] for name, image in services.items()}
    used: dict[str, set[str]] = {}
    for pod in running.objects("pods"):
        name = pod["metadata"].get("labels", {}).get("app.kubernetes.io/name")
        if name in wanted:
            used.setdefault(name, set()).update(container["image"] for container in pod["spec"]["containers"])
    assert used == {name: {ref} for name, ref in wanted.items()}


def test_every_container_is_bounded(running: Running) -> None:
    unbounded = [
        f"{pod['metadata']['name']}/{container['name']}"
        for pod in running.pods
        for container in containers(pod)
        if "memory" not in container.get("resources", {}).get("limits", {}) or not container["resources"].get("requests")
    ]
    assert not unbounded


def test_only_those_that_need_it_can_talk_to_the_api(running: Running) -> None:
    holders = {
        pod["metadata"]["labels"].get("app.kubernetes.io/name")
        for pod in running.pods
        for container in containers(pod)
        for mount in container.get("volumeMounts", [])
        if mount["mountPath"].startswith("/var/run/secrets/kubernetes.io")
    }
    assert holders <= WITH_API_ACCESS


def test_root_filesystems_are_read_only(running: Running) -> None:
    writable = [
        f"{pod['metadata']['name']}/{container['name']}"
        for pod in running.pods
        for container in containers(pod)
        if not container.get("securityContext", {}).get("readOnlyRootFilesystem")
    ]
    assert not writable


def test_configuration_and_secrets_are_hash_suffixed(running: Running) -> None:
    referred = [
        source[kind]["name"]
        for pod in running.pods
        for container in containers(pod)
        for source in container.get("envFrom", [])
        for kind in ("configMapRef", "secretRef")
        if kind in source
    ]
    assert referred
    # Kustomize: ten characters of a hash of the content, so that a change rolls the pods.
    assert not [name for name in referred if len(name.rsplit("-", 1)[-1]) != 10]


def test_no_pod_has_restarted_out_of_memory(running: Running) -> None:
    killed = [
        pod["metadata"]["name"]
        for pod in running.pods
        for status in pod["status"].get("containerStatuses", [])
        if (status.get("lastState", {}).get("terminated") or {}).get("reason") == "OOMKilled"
    ]
    assert not killed
