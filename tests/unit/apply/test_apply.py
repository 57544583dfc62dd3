"""Server-side apply: what counts as a change, and how a Job is replaced. A fake kubectl stands in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.accepted import Accepted
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.apply import Applied, Kubectl, apply
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.kube.objects import FakeReader

FAKE = r"""#!/usr/bin/env python3
import datetime, json, pathlib, sys
here = pathlib.Path(__file__).parent
store = here / "store.json"
objects = json.loads(store.read_text()) if store.exists() else {}
arguments = [a for a in sys.argv[1:] if not a.startswith(("--kubeconfig", "--cache-dir"))]
with (here / "calls").open("a") as calls:
    calls.write(arguments[0] + "\n")
with (here / "validated").open("a") as validated:
    validated.writelines(a + "\n" for a in arguments if a.startswith("--validate="))
name = lambda o: o["kind"] + "/" + o["metadata"]["name"]
if arguments[0] == "kustomize":
    folder = pathlib.Path(arguments[-1])
    for base in json.loads((folder / "kustomization.yaml").read_text())["resources"]:
        print((folder / base / "built.yaml").read_text())
    sys.exit()
if (here / "refuses").exists():
    sys.exit("no")
if arguments[0] == "rollout":
    (here / "rolled").write_text(" ".join(arguments[1:]))
    sys.exit()
if arguments[0] == "patch":
    test, replace = json.load(sys.stdin)
    old = objects[arguments[1] + "/" + arguments[2]]
    assert test["value"] == old["metadata"]["resourceVersion"], test
    old["metadata"]["managedFields"] = replace["value"]
    store.write_text(json.dumps(objects))
    sys.exit()
items = json.load(sys.stdin)["items"]
if arguments[0] == "delete":
    for item in items:
        objects.pop(name(item), None)
if arguments[0] == "apply":
    for item in items:
        old = objects.get(name(item))
        if old and item["kind"] == "Job" and old["spec"] != item["spec"]:
            # It quotes what the object refers to.
            said = 'is invalid: spec.template: Invalid value: {"name":"a"}: field is immutable'
            print(f'The Job "{item["metadata"]["name"]}" {said}', file=sys.stderr)
            sys.exit(1)
        if old and set(item["spec"]) != set(old["spec"]) and all(m["manager"] != "kubectl-edit" for m in old["metadata"]["managedFields"]):
            old["spec"] = {key: value for key, value in old["spec"].items() if key in item["spec"]}
            (mine,) = (m for m in old["metadata"]["managedFields"] if m["manager"] == "gpuaas.parity")
            mine["time"] = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if not old or not item["spec"].items() <= old["spec"].items():
            version = str(int(old["metadata"]["resourceVersion"]) + 1 if old else 1)
            now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            meta = {**item["metadata"], "uid": version if not old else old["metadata"]["uid"], "resourceVersion": version}
            meta["creationTimestamp"] = old["metadata"]["creationTimestamp"] if old else now
            ours = {"manager": "gpuaas.parity", "operation": "Apply", "time": now}
            meta["managedFields"] = [ours, {"manager": "kubelet", "operation": "Update"}]
            objects[name(item)] = {"apiVersion": "v1", "kind": item["kind"], "spec": item["spec"], "metadata": meta}
store.write_text(json.dumps(objects))
found = [objects[name(i)] for i in items if name(i) in objects]
if found:
    print(json.dumps({"kind": "List", "items": found}))
"""


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    program = tmp_path / "kubectl"
    program.write_text(FAKE)
    program.chmod(0o755)
    return Kubectl(program, tmp_path / "kubeconfig", tmp_path / "cache")


def run(kubectl: Kubectl, bases: list[Path], version: str = "v1.36.3", running: dict[str, list[dict[str, Any]]] | None = None) -> Applied:
    accepted = Accepted(kubectl.cache / "accepted", version)
    return apply(kubectl, FakeReader(running), kubectl.build(bases), accepted)


def base(tmp_path: Path, *objects: dict[str, object]) -> Path:
    folder = tmp_path / "base"
    folder.mkdir(exist_ok=True)
    (folder / "built.yaml").write_text("\n---\n".join(json.dumps(o) for o in objects))
    return folder


def obj(kind: str, name: str, spec: int = 1) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": {"of": spec}}


def later(tmp_path: Path) -> None:
    """The server stamps whole seconds: what was applied before was applied an hour ago."""
    store = tmp_path / "store.json"
    objects = json.loads(store.read_text())
    for found in objects.values():
        found["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
        found["metadata"]["managedFields"][0]["time"] = "2026-01-01T00:00:00Z"
    store.write_text(json.dumps(objects))


def test_new_changed_and_unchanged_are_told_apart(kubectl: Kubectl, tmp_path: Path) -> None:
    first = run(kubectl, [base(tmp_path, obj("ConfigMap", "a"), obj("ConfigMap", "b"))])
    assert first.created == ["ConfigMap a", "ConfigMap b"]
    later(tmp_path)
    again = run(kubectl, [base(tmp_path, obj("ConfigMap", "a"), obj("ConfigMap", "b"))])
    assert (again.created, again.configured) == ([], [])
    changed = run(kubectl, [base(tmp_path, obj("ConfigMap", "a", 2), obj("ConfigMap", "b"))])
    assert (changed.configured, changed.unchanged) == (["ConfigMap a"], ["ConfigMap b"])


def test_namespaces_are_applied_first(kubectl: Kubectl, tmp_path: Path) -> None:
    done = run(kubectl, [base(tmp_path, obj("Deployment", "api"), obj("Namespace", "gpuaas-data"))])
    assert done.created[0] == "Namespace gpuaas-data"


def test_the_namespace_that_comes_first_starts_first(kubectl: Kubectl, tmp_path: Path) -> None:
    def placed(kind: str, namespace: str) -> dict[str, object]:
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": kind.lower(), "namespace": namespace}, "spec": 1}

    some = [placed("Job", "data"), placed("NetworkPolicy", "data"), placed("StatefulSet", "data"), placed("Secret", "data")]
    # A pod whose claim is not bound yet is scheduled seconds later.
    some.append(placed("PersistentVolumeClaim", "data"))
    some += [placed("Deployment", "web"), placed("ConfigMap", "web"), obj("ClusterRole", "reader"), obj("Namespace", "web")]
    done = run(kubectl, [base(tmp_path, *some)])
    assert done.created == [
        "Namespace web",
        "ClusterRole reader",
        "PersistentVolumeClaim data/persistentvolumeclaim",
        "Secret data/secret",
        "StatefulSet data/statefulset",
        "NetworkPolicy data/networkpolicy",
        "ConfigMap web/configmap",
        "Deployment web/deployment",
        "Job data/job",
    ]


def test_a_job_whose_template_changed_is_replaced(kubectl: Kubectl, tmp_path: Path) -> None:
    run(kubectl, [base(tmp_path, obj("Job", "api-migrate"), obj("ConfigMap", "a"))])
    later(tmp_path)
    done = run(kubectl, [base(tmp_path, obj("Job", "api-migrate", 2), obj("ConfigMap", "a"))])
    assert "delete" in (tmp_path / "calls").read_text().split()
    stored = json.loads((tmp_path / "store.json").read_text())
    assert stored["Job/api-migrate"]["spec"] == {"of": 2}
    assert "ConfigMap a" in done.unchanged


def test_a_job_that_failed_is_run_again(kubectl: Kubectl, tmp_path: Path) -> None:
    run(kubectl, [base(tmp_path, obj("Job", "canary"), obj("Job", "api-migrate"))])
    later(tmp_path)
    store = tmp_path / "store.json"
    stored = json.loads(store.read_text())
    stored["Job/canary"]["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}
    store.write_text(json.dumps(stored))
    done = run(kubectl, [base(tmp_path, obj("Job", "canary"), obj("Job", "api-migrate"))])
    assert (done.created, done.unchanged) == (["Job canary"], ["Job api-migrate"])
    assert "status" not in json.loads(store.read_text())["Job/canary"]


def test_what_the_server_says_is_what_the_user_reads(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl.program.write_text(
        "#!/bin/sh\n"
        '[ "$3" = get ] && exit 0\n'
        """[ "$1" = kustomize ] && echo '{kind: A, metadata: {name: a}}' && exit 0\n"""
        "echo 'Forbidden: no' >&2\nexit 1\n"
    )
    with pytest.raises(ParityError) as caught:
        run(kubectl, [base(tmp_path)])
    assert caught.value.reason == "APPLY_FAILED"
    assert "Forbidden: no" in caught.value.seen


def test_a_base_that_cannot_be_built_is_named(kubectl: Kubectl, tmp_path: Path) -> None:
    with pytest.raises(ParityError) as caught:
        run(kubectl, [tmp_path / "nowhere"])
    assert caught.value.reason == "APPLY_BASE_INVALID"
    assert "nowhere" in caught.value.seen


def validated(kubectl: Kubectl) -> list[str]:
    return (kubectl.program.parent / "validated").read_text().split()


def test_fields_are_asked_about_until_a_server_accepted_them(kubectl: Kubectl, tmp_path: Path) -> None:
    run(kubectl, [base(tmp_path, obj("ConfigMap", "a"))])
    run(kubectl, [base(tmp_path, obj("ConfigMap", "another", 2))])
    assert validated(kubectl) == ["--validate=strict", "--validate=ignore"]
    misspelt = obj("ConfigMap", "a") | {"spek": {}}
    run(kubectl, [base(tmp_path, misspelt)])
    assert validated(kubectl)[-1] == "--validate=strict"


def test_another_kubernetes_is_asked_anew(kubectl: Kubectl, tmp_path: Path) -> None:
    run(kubectl, [base(tmp_path, obj("ConfigMap", "a"))])
    run(kubectl, [base(tmp_path, obj("ConfigMap", "a"))], "v1.37.0")
    assert validated(kubectl) == ["--validate=strict", "--validate=strict"]


def test_what_was_refused_is_not_remembered(kubectl: Kubectl, tmp_path: Path) -> None:
    run(kubectl, [base(tmp_path, obj("Job", "a"))])
    (kubectl.program.parent / "refuses").touch()
    for _round in range(2):
        with pytest.raises(ParityError, match="no"):
            run(kubectl, [base(tmp_path, obj("ConfigMap", "a"))])
    assert validated(kubectl)[1:] == ["--validate=strict", "--validate=strict"]


# -- what an apply alone leaves -------------------------------------------------------------


def added_by_hand(tmp_path: Path, name: str) -> None:
    """Somebody added a field to a stored object, as the server records it."""
    store = tmp_path / "store.json"
    stored = json.loads(store.read_text())
    stored[name]["spec"]["by"] = "hand"
    theirs = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:by": {}}}}
    stored[name]["metadata"]["managedFields"].append(theirs)
    store.write_text(json.dumps(stored))


def test_what_others_added_is_taken_over_and_removed(kubectl: Kubectl, tmp_path: Path) -> None:
    folder = base(tmp_path, obj("ConfigMap", "a"), obj("ConfigMap", "b"))
    run(kubectl, [folder])
    later(tmp_path)
    added_by_hand(tmp_path, "ConfigMap/a")
    done = run(kubectl, [folder])
    assert (done.configured, done.unchanged) == (["ConfigMap a"], ["ConfigMap b"])
    stored = json.loads((tmp_path / "store.json").read_text())["ConfigMap/a"]
    assert stored["spec"] == {"of": 1}
    assert [entry["manager"] for entry in stored["metadata"]["managedFields"] if entry["manager"] != "kubelet"] == ["gpuaas.parity"]


def reads_a(started: str, owner: str = "ReplicaSet") -> dict[str, list[dict[str, Any]]]:
    """A pod, of a Deployment by default, that reads the ConfigMap a and started at a time."""
    pod = {
        "metadata": {"name": "api-1-x", "namespace": "", "ownerReferences": [{"kind": owner, "name": "api-1"}]},
        "spec": {"containers": [{"envFrom": [{"configMapRef": {"name": "a"}}]}]},
        "status": {"containerStatuses": [{"state": {"running": {"startedAt": started}}}]},
    }
    owned = {"metadata": {"name": "api-1", "namespace": "", "ownerReferences": [{"kind": "Deployment", "name": "api"}]}}
    return {"pods": [pod], "replicasets": [owned]}


@pytest.mark.parametrize(
    ("owner", "rolled"),
    [("ReplicaSet", "restart deployment/api --namespace="), ("StatefulSet", "restart statefulset/api-1 --namespace="), ("Job", "")],
)
def test_what_read_another_content_is_restarted(kubectl: Kubectl, tmp_path: Path, owner: str, rolled: str) -> None:
    folder = base(tmp_path, obj("ConfigMap", "a"))
    run(kubectl, [folder])
    later(tmp_path)
    assert run(kubectl, [folder], running=reads_a("2026-06-01T00:00:00Z", owner)).restarted == []
    added_by_hand(tmp_path, "ConfigMap/a")
    done = run(kubectl, [folder], running=reads_a("2026-06-01T00:00:00Z", owner))
    assert len(done.restarted) == bool(rolled)
    assert ((tmp_path / "rolled").read_text() if rolled else "") == rolled


def test_a_run_that_was_killed_before_the_restart_is_made_up_for(kubectl: Kubectl, tmp_path: Path) -> None:
    folder = base(tmp_path, obj("ConfigMap", "a"))
    run(kubectl, [folder])
    done = run(kubectl, [folder], running=reads_a("2026-06-01T00:00:00Z"))
    assert (done.configured, done.restarted) == ([], ["Deployment /api"])


def test_what_rolls_already_is_not_rolled_twice(kubectl: Kubectl, tmp_path: Path) -> None:
    folder = base(tmp_path, obj("ConfigMap", "a"), obj("Deployment", "api"))
    run(kubectl, [folder])
    store = tmp_path / "store.json"
    stored = json.loads(store.read_text())
    stored["Deployment/api"]["metadata"]["generation"] = 2
    stored["Deployment/api"]["status"] = {"observedGeneration": 1}
    store.write_text(json.dumps(stored))
    assert run(kubectl, [folder], running=reads_a("2026-06-01T00:00:00Z")).restarted == []
