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
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import Rendering, render
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import swap_tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import REPOSITORY, Platform
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KUBECTL = Path(sys.executable).parent / "kubectl"


def rendered(platform: Platform, lane: str = "core") -> Rendering:
    platform.write()
    return render(platform.folder, "kind", lane, platform.roles)


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
        "data/base/db.yaml",
        "data/base/kustomization.yaml",
        "data/base/prepare.sh",
        "data/kustomization.yaml",
        "front/api.env",
        "front/base/api.yaml",
        "front/base/kustomization.yaml",
        "front/kustomization.yaml",
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
    platform.manifest("front", ".swp", "x")
    platform.manifest("front", "api.yaml~", "x")
    assert not [name for name in rendered(platform).tree if name.endswith((".swp", "~"))]


def test_role_without_manifests_has_no_overlay(platform: Platform) -> None:
    platform.platform["services"]["db"]["role"] = "elsewhere"
    assert not [name for name in rendered(platform).tree if name.startswith(("data/", "elsewhere/"))]


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
    platform.mode["placement"]["db"]["node_path"] = "/var/local/db"
    found = build(state_of(platform, tmp_path), "data")
    ((_kind, name), volume) = next(item for item in found.items() if item[0][0] == "PersistentVolume")
    claim = found["StatefulSet", "db"]["spec"]["volumeClaimTemplates"][0]["spec"]
    assert (claim["volumeName"], claim["storageClassName"], volume["spec"]["storageClassName"]) == (name, "", "")
    # Without a type that wants the directory, the kubelet would make one that only root may write.
    assert volume["spec"]["hostPath"] == {"path": "/var/local/db", "type": "Directory"}
    assert volume["spec"]["capacity"] == claim["resources"]["requests"] == {"storage": "2Gi"}
    # The StatefulSet finds this one, bound, instead of making one in the moment in which its pod wants it.
    first = found["PersistentVolumeClaim", "data-db-0"]
    assert first["metadata"]["namespace"] == "shop-data"
    assert first["spec"] == claim


def test_objects_of_services_outside_the_lane_are_left_out(platform: Platform, tmp_path: Path) -> None:
    worker = {"role": "data", "image": "shop", "port": 9, "settings": {}, "secrets": {}}
    platform.platform["services"]["worker"] = worker
    platform.platform["lanes"]["more"] = ["api", "db", "worker"]
    platform.mode["transport"]["services"]["worker"] = {"host": "worker.shop-data.svc.cluster.local"}
    platform.mode["placement"]["worker"] = {"namespace": "shop-data", "replicas": 1}
    platform.edit("data", "kustomization.yaml", "resources: [db.yaml]", "resources: [db.yaml, worker/]")
    platform.manifest("data", "worker/kustomization.yaml", "resources: [worker.yaml]\n")
    template = "{metadata: {labels: {app.kubernetes.io/name: worker}}, spec: {containers: [{name: w, image: shop}]}}"
    platform.manifest(
        "data",
        "worker/worker.yaml",
        "apiVersion: apps/v1\nkind: Deployment\n"
        "metadata: {name: worker, namespace: shop-data, labels: {app.kubernetes.io/name: worker}}\n"
        f"spec: {{selector: {{matchLabels: {{app.kubernetes.io/name: worker}}}}, template: {template}}}\n",
    )
    objects = build(state_of(platform, tmp_path), "data")
    assert ("StatefulSet", "db") in objects
    assert ("Deployment", "worker") not in objects
    with pytest.raises(ParityError) as caught:
        rendered(platform, lane="more")
    assert "no Service worker" in caught.value.seen


def test_own_contract_and_roles_render() -> None:
    tree = render(REPOSITORY / "contract", "kind", "core", REPOSITORY / "roles").tree
    assert {"contract.json", "control_plane/kustomization.yaml", "identity/kustomization.yaml"} <= set(tree)


class TestRealm:
    """contract/realm.yml: references resolved, secrets by name only."""

    def write(self, platform: Platform, text: str) -> None:
        (platform.folder / "realm.yml").write_text(text)

    def test_references_are_resolved(self, platform: Platform) -> None:
        platform.platform["secrets"]["db_password"]["readers"] += ["identity", "validate"]
        self.write(platform, 'clients: [{secret: db_password, uris: ["${endpoints.shop.url}/x"], ttl: 5}]\n')
        realm = json.loads(rendered(platform).tree["realm.json"])
        assert realm == {"clients": [{"secret": "db_password", "uris": ["https://www.shop.localhost:8443/x"], "ttl": 5}]}

    @pytest.mark.parametrize("key", ["secret", "password"])
    def test_secret_that_is_written_out(self, platform: Platform, key: str) -> None:
        self.write(platform, f"users:\n  - {key}: hunter2\n")
        error = refused(platform)
        assert error.reason == "CONTRACT_REFERENCE"
        assert f"contract/realm.yml: users.0.{key} (line 2)" in error.seen
        assert "hunter2" not in str(error)

    def test_dangling_reference(self, platform: Platform) -> None:
        self.write(platform, 'a: {b: ["${endpoints.gone.url}"]}\n')
        error = refused(platform)
        assert error.reason == "CONTRACT_REFERENCE"
        assert "contract/realm.yml: a.b.0 (line 1)" in error.seen

    @pytest.mark.parametrize("text", ["- a\n", ""])
    def test_not_a_mapping(self, platform: Platform, text: str) -> None:
        self.write(platform, text)
        assert refused(platform).reason == "CONTRACT_INVALID"


@pytest.mark.parametrize(
    ("role", "file", "old", "new", "seen"),
    [
        (
            "front",
            "api.yaml",
            "ports: [{name: http, port: 8000,",
            "ports: [{name: http, port: 80,",
            "exposes 80, the contract says 8000",
        ),
        (
            "front",
            "api.yaml",
            "ports: [{name: http, port: 8000, targetPort: http}]",
            "ports: [{port: 8000}, {port: 9}]",
            "exposes 8000, 9",
        ),
        (
            "front",
            "api.yaml",
            "metadata: {name: api, namespace: shop-front}",
            "metadata: {name: x, namespace: shop-front}",
            "no Service api",
        ),
        ("front", "api.yaml", "containerPort: 8000", "containerPort: 8001", "no container declares containerPort 8000"),
        (
            "front",
            "api.yaml",
            "labels: {app.kubernetes.io/name: api}}\nspec",
            "labels: {}}\nspec",
            "names none of the role's services",
        ),
        (
            "front",
            "api.yaml",
            "metadata: {name: api, namespace: shop-front, l",
            "metadata: {name: web, namespace: shop-front, l",
            "must be named",
        ),
        (
            "front",
            "api.yaml",
            "metadata: {name: api, namespace: shop-front, l",
            "metadata: {name: api, namespace: other, l",
            "its placement is shop-front",
        ),
        (
            "front",
            "api.yaml",
            "kind: Deployment",
            "kind: Job",
            "no Deployment, StatefulSet or DaemonSet of service api",
        ),
        ("front", "api.yaml", "envFrom: [{configMapRef: {name: api-config}}]", "env: []", "does not read APP_CA"),
        (
            "front",
            "api.yaml",
            "envFrom: [{configMapRef: {name: api-config}}]",
            "env: [{name: A, valueFrom: {configMapKeyRef: {name: api-config, key: GONE}}}]",
            "reads GONE of ConfigMap api-config",
        ),
        (
            "front",
            "api.yaml",
            "secret: {secretName: api-secrets}",
            "emptyDir: {}",
            "does not read cookie, database of Secret api-secrets",
        ),
        (
            "front",
            "api.yaml",
            "secret: {secretName: api-secrets}",
            "secret: {secretName: api-secrets, items: [{key: cookie, path: c}]}",
            "does not read database of Secret api-secrets",
        ),
        (
            "front",
            "api.yaml",
            "configMap: {name: gpuaas-ca}",
            "configMap: {name: nowhere}",
            "reads ConfigMap nowhere, which nothing",
        ),
        ("front", "api.yaml", "metadata: {name: shop, n", "metadata: {name: other, n", "is not named as an endpoint"),
        (
            "front",
            "api.yaml",
            "metadata: {name: shop, namespace: shop-front",
            "metadata: {name: shop, namespace: x",
            "its service in shop-front",
        ),
        ("front", "api.yaml", "kind: Ingress", "kind: Route", "no Ingress of endpoint shop"),
        ("front", "api.yaml", "- host: shop.invalid\n      http", "- http", "exactly one rule, with a host"),
        ("front", "api.yaml", "secretName: shop-tls", "secretName: other-tls", "secretName shop-tls"),
        (
            "front",
            "api.yaml",
            "service: {name: api, port: {name: http}}",
            "service: {name: db, port: {name: http}}",
            "leads to Service db",
        ),
        ("front", "api.yaml", "port: {name: http}}", "port: {number: 80}}", "leads to port 80"),
        ("data", "db.yaml", "  volumeClaimTemplates:", "  other:", "has 0 volumeClaimTemplates"),
        ("data", "db.yaml", "key: password", "key: pin", "does not read password"),
    ],
)
def test_manifest_that_contradicts_the_contract(platform: Platform, role: str, file: str, old: str, new: str, seen: str) -> None:
    platform.edit(role, file, old, new)
    error = refused(platform)
    assert error.reason == "CONTRACT_MANIFEST_MISMATCH"
    assert seen in error.seen
    assert f"roles/{role}/files/manifests" in error.seen


def test_storage_that_the_placement_does_not_have(platform: Platform) -> None:
    for key in ("storage", "storage_class"):
        platform.mode["placement"]["db"].pop(key)
    assert "its placement has no storage" in refused(platform).seen


def test_namespace_of_the_kustomization_counts(platform: Platform) -> None:
    platform.edit("data", "db.yaml", ", namespace: shop-data", "")
    platform.edit("data", "kustomization.yaml", ", namespace: shop-data", "")
    platform.edit("data", "kustomization.yaml", "kind: Kustomization\n", "kind: Kustomization\nnamespace: shop-data\n")
    assert "data/kustomization.yaml" in rendered(platform).tree


def test_job_may_share_config_and_secrets(platform: Platform) -> None:
    sources = "[{configMapRef: {name: api-config}}, {secretRef: {name: api-secrets}}]"
    pod = f"{{restartPolicy: Never, containers: [{{name: m, image: shop, envFrom: {sources}}}]}}"
    job = f"---\napiVersion: batch/v1\nkind: Job\nmetadata: {{name: migrate, namespace: shop-front}}\nspec: {{template: {{spec: {pod}}}}}\n"
    platform.edit("front", "api.yaml", "---\napiVersion: networking", f"{job}---\napiVersion: networking")
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
    platform.manifest("front", name, text)
    error = refused(platform)
    assert error.reason == reason
    assert "roles/front/files/manifests/" in error.seen


def test_manifest_that_is_a_link_is_refused(platform: Platform) -> None:
    (platform.roles / "front/files/manifests/link.yaml").symlink_to("/etc/hostname")
    assert refused(platform).reason == "CONTRACT_MANIFEST_INVALID"


def test_manifest_that_is_not_text(platform: Platform) -> None:
    (platform.roles / "front/files/manifests/api.yaml").write_bytes(b"\xff\xfe")
    assert refused(platform).reason == "CONTRACT_MANIFEST_INVALID"


def test_missing_kustomization(platform: Platform) -> None:
    (platform.roles / "front/files/manifests/kustomization.yaml").unlink()
    assert refused(platform).reason == "CONTRACT_MANIFEST_INVALID"
