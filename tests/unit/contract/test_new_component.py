# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new component is one folder and one lane line. Here it is a stub of RabbitMQ, added to a copy of the reference platform."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import collect
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import MEANING
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import differences
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform, load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import Rendering, render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._gates.gates import load_gates
from ansible_collections.gpuaas.parity.tests.unit.contract import reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import REPOSITORY

LANE = "  messaging: {extends: core, components: [rabbitmq]}\n"
FOLDER = {
    "component.yml": """\
role: async_services
image: base
ports: {client: 4222, monitor: 8222}
main_port: client
settings:
  RABBITMQ_PORT: {type: port, value: "${services.rabbitmq.port}", means: "Port for clients"}
secrets:
  password: {secret: rabbitmq_password, type: password, means: "Clients of the message broker"}
""",
    "kubernetes/rabbitmq.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: rabbitmq, namespace: gpuaas-async}
spec:
  selector: {app.kubernetes.io/name: rabbitmq}
  ports:
    - {name: client, port: 4222, targetPort: client}
    - {name: monitor, port: 8222, targetPort: monitor}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: rabbitmq, namespace: gpuaas-async, labels: {app.kubernetes.io/name: rabbitmq}}
spec:
  serviceName: rabbitmq
  selector: {matchLabels: {app.kubernetes.io/name: rabbitmq}}
  template:
    metadata: {labels: {app.kubernetes.io/name: rabbitmq}}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: rabbitmq
          image: base
          imagePullPolicy: IfNotPresent
          command: [rabbitmq-server, --port, "$(RABBITMQ_PORT)"]
          envFrom: [{configMapRef: {name: rabbitmq-config}}]
          ports: [{name: client, containerPort: 4222}, {name: monitor, containerPort: 8222}]
          readinessProbe: {httpGet: {path: /healthz, port: monitor}}
          resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          volumeMounts:
            - {name: data, mountPath: /data}
            - {name: secrets, mountPath: /run/secrets/gpuaas, readOnly: true}
      volumes: [{name: secrets, secret: {secretName: rabbitmq-secrets, defaultMode: 288}}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
""",
    "checks.yml": """\
- {id: rabbitmq-ready, proves: ready, phase: up, type: workload, targets: [kubernetes, compose], gate: readiness}
- {id: rabbitmq-configuration, proves: config, phase: validate, type: configuration, targets: [kubernetes, compose], gate: configuration}
- id: rabbitmq-round-trip
  proves: ingress
  phase: validate
  type: exec
  targets: [kubernetes, compose]
  gate: stores
  command: [rabbitmq, --server, "amqp://${services.rabbitmq.host}:${services.rabbitmq.port}", server, check, connection]
""",
    "README.md": "# rabbitmq\n\nMessages between the parts of the control plane.\n",
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    folder = tmp_path_factory.mktemp("checkout") / "platform"
    shutil.copytree(reference.PLATFORM.folder, folder)
    head = folder / "platform.yml"
    head.write_text(re.sub(r"(?m)^lanes:\n", "lanes:\n" + LANE, head.read_text()))
    for name, text in FOLDER.items():
        path = folder / "components" / "rabbitmq" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return load_platform(folder)


@pytest.fixture(scope="module")
def renderings(platform: Platform) -> dict[str, Rendering]:
    return {mode: render_mode(platform, platform.mode(mode), "messaging") for mode in platform.mode_names}


def test_every_mode_runs_it(renderings: dict[str, Rendering]) -> None:
    assert set(renderings) == set(reference.MODES)
    for mode, rendering in renderings.items():
        service = rendering.contract["services"]["rabbitmq"]
        assert service["ports"] == {"client": 4222, "monitor": 8222}
        assert service["host"] == ("rabbitmq" if mode == "compose" else "rabbitmq.gpuaas-async.svc.cluster.local")
        assert service["settings"] == {"RABBITMQ_PORT": "4222"}
        assert rendering.contract["secrets"]["rabbitmq_password"]["readers"] == ["rabbitmq"]


def test_its_role_has_an_overlay_where_there_is_a_cluster(renderings: dict[str, Rendering]) -> None:
    for mode in ("kind", "vm-105", "platform_control"):
        tree = renderings[mode].tree
        assert tree["async_services/rabbitmq.env"] == b"RABBITMQ_PORT=4222\n"
        assert tree["async_services/base/rabbitmq/rabbitmq.yaml"].decode() == FOLDER["kubernetes/rabbitmq.yaml"]
        assert b"gpuaas-async" in tree["async_services/namespaces.yaml"]
    assert renderings["kind"].contract["services"]["rabbitmq"]["node_path"] == "/var/local/gpuaas/rabbitmq"


def test_compose_is_derived_from_its_manifest(renderings: dict[str, Rendering]) -> None:
    services = yaml.safe_load(renderings["compose"].tree["compose.yml"])["services"]
    assert services["rabbitmq"]["user"] == "65532:65532"
    own = {lane.replace("core", "messaging") for lane in reference.LANES if lane.partition(".")[0] == "core"}
    assert set(services["rabbitmq"]["profiles"]) == own
    assert set(services["redis"]["profiles"]) == {*reference.LANES, *own}


def test_what_stands_in_the_smaller_lane_is_what_stood_there(platform: Platform) -> None:
    for mode in platform.mode_names:
        before = render_mode(reference.PLATFORM, reference.PLATFORM.mode(mode), "core").contract
        after = render_mode(platform, platform.mode(mode), "core").contract
        secrets = {name: value for name, value in after["secrets"].items() if name != "rabbitmq_password"}
        assert {**after, "secrets": secrets} == before


@pytest.mark.parametrize("mode", ["kind", "compose"])
def test_its_checks_are_made_with_the_others(platform: Platform, renderings: dict[str, Rendering], mode: str) -> None:
    contract = json.loads(renderings[mode].tree["contract.json"])
    checks = [check.id for check in collect(platform, contract)]
    assert {"rabbitmq-ready", "rabbitmq-configuration", "rabbitmq-round-trip", "redis-ready"} <= set(checks)
    assert [check.id for check in collect(platform, contract, ["rabbitmq"])] == [
        "rabbitmq-ready",
        "rabbitmq-configuration",
        "rabbitmq-round-trip",
    ]


def test_its_checks_are_in_the_gates(platform: Platform) -> None:
    gated = {check for validation in load_gates(platform).validations for check in validation.checks}
    assert {"rabbitmq-ready", "rabbitmq-configuration", "rabbitmq-round-trip"} <= gated


def test_modes_mean_the_same(platform: Platform) -> None:
    for first, second in combinations(platform.mode_names, 2):
        found = differences(platform, first, second, "messaging")
        assert [item for item in found if item.group == MEANING] == []


def test_its_name_stands_nowhere_else() -> None:
    places = ["plugins", "roles", "playbooks", "images", "inventories", "tests"]
    found = subprocess.run(["git", "grep", "-il", "rabbitmq", "--", *places], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    here = Path(__file__).resolve().relative_to(REPOSITORY.resolve()).as_posix()
    assert [name for name in found.stdout.splitlines() if name != here and not name.endswith(".md")] == []
    # Otherwise the search itself would prove nothing.
    found = subprocess.run(
        ["git", "grep", "-il", "redis", "--", "platform/components"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert "platform/components/redis/component.yml" in found.stdout
