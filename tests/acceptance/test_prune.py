"""What no component has any more goes from the cluster; data does not, nor does what somebody else brought."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from .running import ROOT, Object, Running, name_of

NAMESPACE = "gpuaas-control-plane"
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}


def leftover(kind: str, name: str, **more: Object) -> Object:
    labels = {"app.kubernetes.io/managed-by": "gpuaas.parity"}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels}, **more}


def apply(running: Running, tmp_path: Path, manager: str, *objects: Object) -> None:
    file = tmp_path / f"{manager}.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    argv = ["apply", "--server-side", f"--field-manager={manager}", f"--filename={file}"]
    running.host.check_output(f"{running.kubectl_program} {shlex.join(argv)}")


@pytest.fixture
def brought(running: Running, tmp_path: Path) -> Iterator[None]:
    """A config map and a claim as an apply leaves them behind, and a config map that somebody copied from one of ours."""
    apply(
        running, tmp_path, "gpuaas.parity", leftover("ConfigMap", "left-over"), leftover("PersistentVolumeClaim", "left-over", spec=CLAIM)
    )
    apply(running, tmp_path, "somebody", leftover("ConfigMap", "copied"))
    yield
    argv = ["delete", f"--namespace={NAMESPACE}", "persistentvolumeclaim/left-over", "configmap/copied"]
    running.host.check_output(f"{running.kubectl_program} {shlex.join(argv)}")


@pytest.mark.usefixtures("brought")
def test_what_no_component_has_any_more_goes(running: Running) -> None:
    before = {name_of(item) for item in running.objects("configmaps", "secrets", "persistentvolumeclaims", "deployments", "services")}
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), f"--inventory={ROOT / 'inventories' / 'kind'}"]
    argv += [f"--extra-vars=parity_state_dir={running.state_dir}", str(ROOT / "tests" / "acceptance" / "prune.yml")]
    said = running.host.check_output(f"ANSIBLE_CONFIG={shlex.quote(str(ROOT / 'ansible.cfg'))} {shlex.join(argv)}")
    after = {name_of(item) for item in running.objects("configmaps", "secrets", "persistentvolumeclaims", "deployments", "services")}
    assert before - after == {f"ConfigMap {NAMESPACE}/left-over"}
    assert f"no component has any more: ConfigMap {NAMESPACE}/left-over" in said
    assert f"kept, although no component has it any more: PersistentVolumeClaim {NAMESPACE}/left-over, it holds data" in said


def test_configuration_and_secrets_have_one_generation(running: Running) -> None:
    ours = "--selector=app.kubernetes.io/managed-by=gpuaas.parity"
    names = [name_of(item) for item in running.kubectl("get", "configmaps,secrets", "--all-namespaces", ours)["items"]]
    # Kustomize ends a name in ten characters of a hash of what is in it.
    generations = Counter(name.rpartition("-")[0] for name in names if re.search("-[a-z0-9]{10}$", name))
    assert generations
    assert set(generations.values()) == {1}
