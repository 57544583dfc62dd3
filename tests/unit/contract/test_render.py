"""The rendering: the same bytes for the same contract, and an overlay that Kustomize builds."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import Rendering, render, render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import swap_tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract import reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import API, Platform
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KUBECTL = Path(sys.executable).parent / "kubectl"


def rendered(platform: Platform, lane: str = "core") -> Rendering:
    platform.write()
    return render(platform.folder, "kind", lane)


def overlay(platform: Platform, role: str) -> dict[str, Any]:
    document = yaml.safe_load(rendered(platform).tree[f"{role}/kustomization.yaml"])
    assert isinstance(document, dict)
    return document


def refused(platform: Platform) -> ParityError:
    with pytest.raises(ParityError) as caught:
        rendered(platform)
    return caught.value


def shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: shuffled(value[key], rng) for key in keys}
    return [shuffled(item, rng) for item in value] if isinstance(value, list) else value


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(min_value=0))
def test_order_of_keys_does_not_matter(seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first, second = Platform(Path(one)), Platform(Path(two))
        second.platform, second.mode = shuffled(second.platform, rng), shuffled(second.mode, rng)
        for services in second.platform["lanes"].values():
            rng.shuffle(services)
        assert rendered(first) == rendered(second)
        assert list(rendered(first).tree) == list(rendered(second).tree)
        assert rendered(first) == rendered(first)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_a_string_is_rendered_verbatim_or_refused(value: str) -> None:
    with tempfile.TemporaryDirectory() as root:
        platform = Platform(Path(root))
        platform.setting("APP_X", type="string", value=value)
        try:
            env = rendered(platform).tree["front/api.env"].decode()
        except ParityError as error:
            assert error.reason in {
                "CONTRACT_TYPE",
                "CONTRACT_REFERENCE",
                "CONTRACT_SECRET_IN_SETTING",
                "CONTRACT_INVALID",
            }
        else:
            assert f"\nAPP_X={value}\n" in env


def test_contract_json(platform: Platform) -> None:
    rendering = rendered(platform)
    assert json.loads(rendering.tree["contract.json"]) == rendering.contract
    assert rendering.tree["contract.json"].endswith(b"}\n")


def test_files(platform: Platform) -> None:
    assert sorted(rendered(platform).tree) == [
        "contract.json",
        "data/base/db/db.yaml",
        "data/base/db/kustomization.yaml",
        "data/base/db/prepare.sh",
        "data/base/kustomization.yaml",
        "data/kustomization.yaml",
        "data/namespaces.yaml",
        "data/policies.yaml",
        "front/api.env",
        "front/base/api/api.yaml",
        "front/base/api/kustomization.yaml",
        "front/base/kustomization.yaml",
        "front/kustomization.yaml",
        "front/namespaces.yaml",
        "front/policies.yaml",
    ]


def test_env_file_is_sorted(platform: Platform) -> None:
    lines = rendered(platform).tree["front/api.env"].decode().splitlines()
    assert lines == sorted(lines)
    assert "APP_DEBUG=false" in lines


def test_overlay_of_the_front(platform: Platform) -> None:
    document = overlay(platform, "front")
    assert document["components"] == ["../../images"]
    assert document["configMapGenerator"] == [
        {"name": "api-config", "namespace": "shop-front", "envs": ["api.env"]},
        {"name": "gpuaas-ca", "namespace": "shop-front", "files": ["../../tls/ca.crt"]},
    ]
    assert document["secretGenerator"] == [
        {
            "name": "api-secrets",
            "namespace": "shop-front",
            "files": ["cookie=../../secrets/files/api/cookie", "database=../../secrets/files/api/database"],
        },
        {
            "name": "shop-tls",
            "namespace": "shop-front",
            "type": "kubernetes.io/tls",
            "files": ["tls.crt=../../tls/shop/tls.crt", "tls.key=../../tls/shop/tls.key"],
        },
    ]
    assert document["replicas"] == [{"name": "api", "count": 2}]


def test_overlay_has_only_what_is_needed(platform: Platform) -> None:
    document = overlay(platform, "data")
    assert "configMapGenerator" not in document
    assert [item["name"] for item in document["secretGenerator"]] == ["db-secrets"]


def test_hidden_and_backup_files_are_not_copied(platform: Platform) -> None:
    platform.manifest("api", ".swp", "x")
    platform.manifest("api", "api.yaml~", "x")
    assert not [name for name in rendered(platform).tree if name.endswith((".swp", "~"))]


def test_folder_without_a_kustomization_lists_its_files(platform: Platform) -> None:
    platform.manifest("api", "more.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, namespace: shop-front}\n")
    base = yaml.safe_load(rendered(platform).tree["front/base/api/kustomization.yaml"])
    assert base["resources"] == ["api.yaml", "more.yaml"]


def test_components_of_one_role_share_an_overlay(platform: Platform, tmp_path: Path) -> None:
    platform.component_says("db", role="front")
    assert yaml.safe_load(rendered(platform).tree["front/base/kustomization.yaml"])["resources"] == ["api", "db"]
    assert {("Deployment", "api"), ("StatefulSet", "db")} <= set(build(state_of(platform, tmp_path), "front"))


class TestNamespaces:
    """Every namespace that a manifest names is there, under Pod Security ``restricted``."""

    def made(self, platform: Platform) -> dict[str, Any]:
        documents = yaml.safe_load_all(rendered(platform).tree.get("front/namespaces.yaml", b""))
        return {item["metadata"]["name"]: item["metadata"]["labels"] for item in documents if item}

    def test_is_made_with_its_labels(self, platform: Platform) -> None:
        labels = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
        assert self.made(platform) == {"shop-front": labels}

    def test_is_left_alone_where_a_manifest_brings_it(self, platform: Platform) -> None:
        platform.manifest("api", "namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop-front}\n")
        assert self.made(platform) == {}

    def test_of_kubernetes_itself_is_there(self, platform: Platform) -> None:
        platform.edit("api", "api.yaml", "namespace: shop-front", "namespace: kube-system")
        assert self.made(platform) == {}


def state_of(platform: Platform, tmp_path: Path) -> Path:
    """A state directory as the other actions of a run would leave it."""
    state = tmp_path / "state"
    swap_tree(state / "rendered", rendered(platform).tree)
    lock = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "images": [{"name": "shop", "newName": "local/shop", "digest": "sha256:" + "a" * 64}],
    }
    files = {"images/kustomization.yaml": yaml.safe_dump(lock), "tls/ca.crt": "CA"}
    files |= {f"tls/shop/{name}": name for name in ("tls.crt", "tls.key")}
    files |= {f"secrets/files/{name}": "value" for name in ("api/database", "api/cookie", "db/password")}
    for name, text in files.items():
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_text(text)
    return state


def build(state: Path, role: str) -> dict[tuple[str, str], dict[str, Any]]:
    command = [str(KUBECTL), "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(state / "rendered" / role)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(done.stdout)}


def test_kustomize_builds_the_overlays(platform: Platform, tmp_path: Path) -> None:
    state = state_of(platform, tmp_path)
    front = build(state, "front")
    deployment = front["Deployment", "api"]
    ingress = front["Ingress", "shop"]
    config = next(item for (kind, name), item in front.items() if kind == "ConfigMap" and name.startswith("api-config-"))
    assert deployment["spec"]["replicas"] == 2
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "local/shop@sha256:" + "a" * 64
    assert container["envFrom"][0]["configMapRef"]["name"] == config["metadata"]["name"]
    assert config["data"]["APP_GREETING"] == "grüezi = # hello"
    assert deployment["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/part-of"] == "gpuaas"
    assert deployment["spec"]["selector"] == {"matchLabels": {"app.kubernetes.io/name": "api"}}
    assert ingress["spec"]["rules"][0]["host"] == "www.shop.localhost"
    assert ingress["spec"]["tls"][0]["hosts"] == ["www.shop.localhost"]
    assert ingress["spec"]["tls"][0]["secretName"].startswith("shop-tls-")

    claim = build(state, "data")["StatefulSet", "db"]["spec"]["volumeClaimTemplates"][0]["spec"]
    assert claim["storageClassName"] == "fast"
    assert claim["resources"] == {"requests": {"storage": "2Gi"}}


def test_a_volume_in_a_directory_of_the_node_is_made_for_the_claim_that_names_it(platform: Platform, tmp_path: Path) -> None:
    platform.mode["placement"]["db"].pop("storage_class")
    found = build(state_of(platform, tmp_path), "data")
    ((_kind, name), volume) = next(item for item in found.items() if item[0][0] == "PersistentVolume")
    claim = found["StatefulSet", "db"]["spec"]["volumeClaimTemplates"][0]["spec"]
    assert (claim["volumeName"], claim["storageClassName"], volume["spec"]["storageClassName"]) == (name, "", "")
    # Without a type that wants the directory, the kubelet would make one that only root may write.
    assert volume["spec"]["hostPath"] == {"path": "/var/local/gpuaas/db", "type": "Directory"}
    assert volume["spec"]["capacity"] == claim["resources"]["requests"] == {"storage": "2Gi"}
    # The StatefulSet finds this one, bound, instead of making one in the moment in which its pod wants it.
    first = found["PersistentVolumeClaim", "data-db-0"]
    assert first["metadata"]["namespace"] == "shop-data"
    assert first["spec"] == claim


def test_storage_is_what_the_manifest_claims_unless_the_mode_says_otherwise(platform: Platform) -> None:
    platform.mode["placement"] = {}
    service = rendered(platform).contract["services"]["db"]
    assert (service["storage"], service["replicas"], service["node_path"]) == ("1Gi", 1, "/var/local/gpuaas/db")
    assert rendered(platform).contract["services"]["api"]["replicas"] == 1


def test_objects_of_services_outside_the_lane_are_left_out(platform: Platform, tmp_path: Path) -> None:
    platform.platform["services"]["worker"] = {"role": "data", "image": "shop", "ports": {"http": 9}}
    platform.platform["lanes"]["more"] = {"extends": "core", "components": ["worker"]}
    platform.manifest("worker", "worker.yaml", API.partition("---\napiVersion: networking")[0].replace("name: api", "name: worker"))
    platform.edit("worker", "worker.yaml", "8000", "9")
    platform.edit("worker", "worker.yaml", "secret: {secretName: api-secrets}", "emptyDir: {}")
    platform.edit("worker", "worker.yaml", "envFrom: [{configMapRef: {name: worker-config}}]", "env: []")
    objects = build(state_of(platform, tmp_path), "data")
    assert ("StatefulSet", "db") in objects
    assert ("Deployment", "worker") not in objects
    assert "worker/worker.yaml" in "".join(rendered(platform, lane="more").tree)


@pytest.mark.parametrize("lane", reference.LANES)
def test_own_platform_renders(lane: str) -> None:
    tree = render_mode(reference.PLATFORM, reference.PLATFORM.mode("kind"), lane).tree
    assert {"contract.json", "control_plane/kustomization.yaml", "identity/kustomization.yaml"} <= set(tree)


class TestRealm:
    """realm.yml: references resolved, secrets by name only."""

    def write(self, platform: Platform, text: str) -> None:
        (platform.folder / "realm.yml").write_text(text)

    def test_references_are_resolved(self, platform: Platform) -> None:
        self.write(platform, 'clients: [{secret: db_password, uris: ["${endpoints.shop.url}/x"], ttl: 5}]\n')
        realm = json.loads(rendered(platform).tree["realm.json"])
        assert realm == {"clients": [{"secret": "db_password", "uris": ["https://www.shop.localhost:8443/x"], "ttl": 5}]}

    @pytest.mark.parametrize("key", ["secret", "password"])
    def test_secret_that_is_written_out(self, platform: Platform, key: str) -> None:
        self.write(platform, f"users:\n  - {key}: hunter2\n")
        error = refused(platform)
        assert error.reason == "CONTRACT_REFERENCE"
        assert f"platform/realm.yml: users.0.{key} (line 2)" in error.seen
        assert "hunter2" not in str(error)

    def test_dangling_reference(self, platform: Platform) -> None:
        self.write(platform, 'a: {b: ["${endpoints.gone.url}"]}\n')
        error = refused(platform)
        assert error.reason == "CONTRACT_REFERENCE"
        assert "platform/realm.yml: a.b.0 (line 1)" in error.seen

    @pytest.mark.parametrize("text", ["- a\n", ""])
    def test_not_a_mapping(self, platform: Platform, text: str) -> None:
        self.write(platform, text)
        assert refused(platform).reason == "CONTRACT_INVALID"


@pytest.mark.parametrize(
    ("component", "file", "old", "new", "seen"),
    [
        (
            "api",
            "api.yaml",
            "ports: [{name: http, port: 8000,",
            "ports: [{name: http, port: 80,",
            "exposes 80, component.yml says 8000",
        ),
        (
            "api",
            "api.yaml",
            "ports: [{name: http, port: 8000, targetPort: http}]",
            "ports: [{port: 8000}, {port: 9}]",
            "exposes 8000, 9",
        ),
        (
            "api",
            "api.yaml",
            "metadata: {name: api, namespace: shop-front}",
            "metadata: {name: x, namespace: shop-front}",
            "leads to Service api, the endpoint's is x",
        ),
        ("api", "api.yaml", "containerPort: 8000", "containerPort: 8001", "no container declares containerPort 8000"),
        (
            "api",
            "api.yaml",
            "labels: {app.kubernetes.io/name: api}}\nspec",
            "labels: {}}\nspec",
            "names no component of its role: api",
        ),
        (
            "api",
            "api.yaml",
            "metadata: {name: api, namespace: shop-front, l",
            "metadata: {name: web, namespace: shop-front, l",
            "no Deployment, StatefulSet, DaemonSet or Job named api",
        ),
        (
            "api",
            "api.yaml",
            "metadata: {name: api, namespace: shop-front, l",
            "metadata: {name: api, namespace: other, l",
            "no Service of api in namespace other",
        ),
        (
            "api",
            "api.yaml",
            "kind: Deployment",
            "kind: CronJob",
            "no Deployment, StatefulSet, DaemonSet or Job named api",
        ),
        ("api", "api.yaml", "envFrom: [{configMapRef: {name: api-config}}]", "env: []", "does not read APP_CA"),
        (
            "api",
            "api.yaml",
            "envFrom: [{configMapRef: {name: api-config}}]",
            "env: [{name: A, valueFrom: {configMapKeyRef: {name: api-config, key: GONE}}}]",
            "reads GONE of ConfigMap api-config",
        ),
        (
            "api",
            "api.yaml",
            "secret: {secretName: api-secrets}",
            "emptyDir: {}",
            "does not read cookie, database of Secret api-secrets",
        ),
        (
            "api",
            "api.yaml",
            "secret: {secretName: api-secrets}",
            "secret: {secretName: api-secrets, items: [{key: cookie, path: c}]}",
            "does not read database of Secret api-secrets",
        ),
        (
            "api",
            "api.yaml",
            "configMap: {name: gpuaas-ca}",
            "configMap: {name: nowhere}",
            "reads ConfigMap nowhere, which nothing",
        ),
        ("api", "api.yaml", "metadata: {name: shop, n", "metadata: {name: other, n", "is not named as an endpoint"),
        (
            "api",
            "api.yaml",
            "metadata: {name: shop, namespace: shop-front",
            "metadata: {name: shop, namespace: x",
            "its component in shop-front",
        ),
        ("api", "api.yaml", "kind: Ingress", "kind: Route", "no Ingress of endpoint shop"),
        ("api", "api.yaml", "- host: shop.invalid\n      http", "- http", "exactly one rule, with a host"),
        ("api", "api.yaml", "secretName: shop-tls", "secretName: other-tls", "secretName shop-tls"),
        (
            "api",
            "api.yaml",
            "service: {name: api, port: {name: http}}",
            "service: {name: db, port: {name: http}}",
            "leads to Service db",
        ),
        ("api", "api.yaml", "port: {name: http}}", "port: {number: 80}}", "leads to port 80, http of component.yml is 8000"),
        ("api", "api.yaml", "port: {name: http}}", "port: {name: web}}", "leads to port web, http of component.yml is 8000"),
        ("api", "api.yaml", "pathType: Prefix", "pathType: ImplementationSpecific", "of pathType ImplementationSpecific, not Exact"),
        ("api", "api.yaml", "path: /, ", "path: shop, ", "has a path shop, which does not begin with /"),
        ("api", "api.yaml", "path: /, ", "path: /read, ", "has no path that leads to /ready"),
        ("api", "api.yaml", "path: /, pathType: Prefix", "path: /, pathType: Exact", "has no path that leads to /ready"),
        ("api", "api.yaml", "replicas: 1", "replicas: two", "spec.replicas must be a number from 1"),
        ("api", "api.yaml", "replicas: 1", "replicas: 0", "spec.replicas must be a number from 1"),
        ("db", "db.yaml", "metadata: {name: db, namespace: shop-data, l", "metadata: {name: db, l", "names no namespace"),
        ("db", "db.yaml", "selector: {app.kubernetes.io/name: db}", "selector: {}", "Service db: selects none of its pods"),
        ("db", "db.yaml", "selector: {app.kubernetes.io/name: db}", "selector: {app: db}", "Service db: selects none of its pods"),
        ("db", "db.yaml", "ports: [{port: 5432}]", "ports: [{port: 5432, targetPort: 5433}]", "leads to 5433, which no container declares"),
        ("db", "db.yaml", "ports: [{port: 5432}]", "ports: [{port: 5432, targetPort: db}]", "leads to db, which no container declares"),
        ("db", "db.yaml", "storage: 1Gi}}}\n", "storage: 1Gi}}}\n    - metadata: {name: more}\n", "has 2 volumeClaimTemplates"),
        ("db", "db.yaml", "key: password", "key: pin", "does not read password"),
    ],
)
def test_manifest_that_contradicts_the_contract(platform: Platform, component: str, file: str, old: str, new: str, seen: str) -> None:
    platform.edit(component, file, old, new)
    error = refused(platform)
    assert error.reason == "CONTRACT_MANIFEST_MISMATCH"
    assert seen in error.seen
    assert f"platform/components/{component}/kubernetes" in error.seen


def test_namespace_of_the_kustomization_counts(platform: Platform) -> None:
    platform.edit("db", "db.yaml", ", namespace: shop-data", "")
    platform.edit("db", "kustomization.yaml", ", namespace: shop-data", "")
    platform.edit("db", "kustomization.yaml", "kind: Kustomization\n", "kind: Kustomization\nnamespace: shop-data\n")
    assert "data/kustomization.yaml" in rendered(platform).tree


def test_job_may_share_config_and_secrets(platform: Platform) -> None:
    sources = "[{configMapRef: {name: api-config}}, {secretRef: {name: api-secrets}}]"
    pod = f"{{restartPolicy: Never, containers: [{{name: m, image: shop, envFrom: {sources}}}]}}"
    template = f"{{metadata: {{labels: {{app.kubernetes.io/name: migrate}}}}, spec: {pod}}}"
    job = f"---\napiVersion: batch/v1\nkind: Job\nmetadata: {{name: migrate, namespace: shop-front}}\nspec: {{template: {template}}}\n"
    platform.edit("api", "api.yaml", "---\napiVersion: networking", f"{job}---\napiVersion: networking")
    assert "front/kustomization.yaml" in rendered(platform).tree


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("kustomization.yaml", "resources: [gone.yaml]\n", "CONTRACT_MANIFEST_INVALID"),
        ("kustomization.yaml", "resources: [../../x.yaml]\n", "CONTRACT_MANIFEST_INVALID"),
        ("kustomization.yaml", "resources: [https://example.com/x.yaml]\n", "CONTRACT_MANIFEST_INVALID"),
        ("kustomization.yaml", "[]\n", "CONTRACT_MANIFEST_INVALID"),
        ("kustomization.yaml", "a: 1\na: 2\n", "CONTRACT_DUPLICATE_KEY"),
        ("api.yaml", "kind: [\n", "CONTRACT_MANIFEST_INVALID"),
        ("api.yaml", "kind: ConfigMap\n", "CONTRACT_MANIFEST_INVALID"),
        ("api.yaml", "kind: A\nkind: B\n", "CONTRACT_DUPLICATE_KEY"),
    ],
)
def test_broken_manifest(platform: Platform, name: str, text: str, reason: str) -> None:
    platform.manifest("api", name, text)
    error = refused(platform)
    assert error.reason == reason
    assert "platform/components/api/kubernetes/" in error.seen


def test_manifest_that_is_a_link_is_refused(platform: Platform) -> None:
    (platform.component("api") / "kubernetes/link.yaml").symlink_to("/etc/hostname")
    assert refused(platform).reason == "CONTRACT_MANIFEST_INVALID"


def test_manifest_that_is_not_text(platform: Platform) -> None:
    (platform.component("api") / "kubernetes/api.yaml").write_bytes(b"\xff\xfe")
    assert refused(platform).reason == "CONTRACT_MANIFEST_INVALID"
