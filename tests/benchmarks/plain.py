"""What a competent engineer would write instead: kind, kubectl and the admin API, one after the other.

The same images, the same manifests, the same realm. The node image holds Kubernetes
and not the lane, and the kind configuration says what the host and the manifests
need: what makes a control plane start faster is the product's.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import REPOSITORY
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.bootstrap import Request, bootstrap
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import ClusterSpec, PortMap, kind_config
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client
from tools import BIN, Failed, Watch, run

NODE_PORT = 30443
WAIT_SECONDS = 900
ATTEMPTS = 3
# kind makes this network for every cluster and never removes it.
KIND_NETWORK = "kind"


@dataclass(frozen=True)
class Plain:
    """The plain script, over a state directory that `prepare.yml` filled."""

    name: str
    state_dir: Path
    together: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        return dict(json.loads((self.state_dir / "bench.json").read_text(encoding="utf-8")))

    @property
    def kubeconfig(self) -> Path:
        return self.state_dir / "plain.kubeconfig"

    @property
    def roles(self) -> list[str]:
        return sorted({service["role"] for service in self.facts["contract"]["services"].values()})

    def images(self) -> dict[str, str]:
        """Image name of the manifests -> tag in Docker."""
        return {name: f"{REPOSITORY}/{name}:{key}" for name, key in self.facts["lane"]["image_keys"].items()}

    def write_inputs(self) -> None:
        """The kind configuration, and tags in the place of pinned digests."""
        host, contract = self.facts["host"], self.facts["contract"]
        spec = ClusterSpec(
            name=self.name,
            node_image=self.facts["plain"]["node_image"],
            ports=(PortMap(contract["endpoints"]["web"]["port"], NODE_PORT),),
            default_cni=self.facts["plain"]["default_cni"],
            cgroup_version=host["cgroup_version"],
        )
        config = yaml.safe_load(kind_config(spec))
        patches = [yaml.safe_load(patch) for patch in config["kubeadmConfigPatches"]]
        needed = [patch for patch in patches if patch["kind"] == "KubeletConfiguration"]
        # CoreDNS and kube-proxy are among the manifests; kind itself skips `preflight`, and a patch replaces its list.
        needed.append({"kind": "InitConfiguration", "skipPhases": ["preflight", "addon/coredns", "addon/kube-proxy"]})
        config["kubeadmConfigPatches"] = [yaml.safe_dump(patch) for patch in needed]
        if host["restrict_oom_score_adj"]:
            # The node image of the script is not baked, so kind has to say it.
            config["containerdConfigPatches"] = ['version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nrestrict_oom_score_adj = true\n']
        (self.state_dir / "plain.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        pairs = [(name, tag.rpartition(":")) for name, tag in self.images().items()]
        component = {
            "apiVersion": "kustomize.config.k8s.io/v1alpha1",
            "kind": "Component",
            "images": [{"name": name, "newName": parts[0], "newTag": parts[2]} for name, parts in pairs],
        }
        (self.state_dir / "images").mkdir(exist_ok=True)
        (self.state_dir / "images" / "kustomization.yaml").write_text(yaml.safe_dump(component), encoding="utf-8")

    def kind(self, *argv: str | Path) -> str:
        return run(self.facts["lane"]["kind"], *argv)

    def kubectl(self, *argv: str, input: str | None = None) -> str:
        return run(BIN / "kubectl", f"--kubeconfig={self.kubeconfig}", *argv, input=input)

    def up(self) -> Watch:
        """From no cluster to a realm that stands; seconds of each step."""
        watch = Watch()
        self.create(watch)
        with watch.step("directories of volumes"):
            volumes = [service["node_path"] for service in self.facts["contract"]["services"].values() if "node_path" in service]
            run("docker", "exec", f"{self.name}-control-plane", "install", "-d", "-m", "0777", *volumes)
        with watch.step("kind load docker-image"):
            tags = list(self.images().values())
            for batch in [tags] if self.together else [[tag] for tag in tags]:
                self.kind("load", "docker-image", "--name", self.name, *batch)
        with watch.step("kubectl apply"):
            for role in self.roles:
                self.kubectl("apply", "--filename=-", input=built(self.state_dir / "rendered" / role))
        with watch.step("kubectl wait"):
            everywhere = ("--all", "--all-namespaces", f"--timeout={WAIT_SECONDS}s")
            self.kubectl("wait", "--for=condition=Complete", "job", *everywhere)
            self.kubectl("wait", "--for=jsonpath={.status.readyReplicas}=1", "statefulset", *everywhere)
            self.kubectl("wait", "--for=condition=Available", "deployment", *everywhere)
        with watch.step("realm import"):
            self.import_realm()
        return watch

    def create(self, watch: Watch) -> None:
        """The cluster; only the attempt that made it counts.

        On cgroup v1 a node as kind sets it up now and then does not start a container
        of the control plane before kubeadm gives up (docs/decisions/0012).
        """
        for left in reversed(range(ATTEMPTS)):
            try:
                with watch.step("kind create cluster"):
                    self.kind("create", "cluster", "--config", self.state_dir / "plain.yaml", "--kubeconfig", self.kubeconfig)
                return
            except Failed as error:
                if not left:
                    raise
                said = next((line for line in str(error).splitlines() if line.startswith("error: ")), "kind failed")
                print(f" {said}; again", flush=True)

    def import_realm(self) -> None:
        """The realm through Keycloak's admin API."""
        endpoint = self.facts["contract"]["endpoints"]["auth-admin"]
        authority = self.state_dir / "tls" / "ca.crt"
        await_answer(f"{endpoint['url']}/realms/master/.well-known/openid-configuration", authority)
        bootstrap(
            Request(
                document=str(self.state_dir / "rendered" / "realm.json"),
                ca_file=str(authority),
                secrets_file=str(self.state_dir / "secrets" / "secrets.yml"),
                bootstrap_client_id=self.facts["contract"]["services"]["keycloak"]["settings"]["KC_BOOTSTRAP_ADMIN_CLIENT_ID"],
                bootstrap_secret="keycloak_bootstrap_client_secret",
            )
        )

    def down(self) -> None:
        """kind delete cluster."""
        self.kind("delete", "cluster", "--name", self.name, "--kubeconfig", self.kubeconfig)


def built(base: Path) -> str:
    """The objects of a Kustomize base; its secrets lie beside the rendering, outside of it."""
    return run(BIN / "kubectl", "kustomize", "--load-restrictor=LoadRestrictionsNone", base)


def await_answer(url: str, authority: Path) -> None:
    """Until the ingress routes to what `kubectl wait` says is there."""
    end = time.monotonic() + WAIT_SECONDS
    with client(authority) as http:
        while True:
            try:
                if http.get(url).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError as error:
                if time.monotonic() > end:
                    raise Failed(f"{url}: {error}") from error
            if time.monotonic() > end:
                raise Failed(f"{url} does not answer with 200")
            time.sleep(0.1)
