# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Docker engine and a kind program that keep their clusters in memory."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.api import Identity, Waiting
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.cluster import Site
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import CLUSTER_LABEL, ClusterSpec, PortMap
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Event

NAME = "gpuaas-parity"
IMAGE = "gpuaas-parity/node:dev"
API_HOST_PORT = 40001
# Above the highest process id there can be (PID_MAX_LIMIT, 2^22).
NOBODY = 2**22 + 1


def kubeconfig_text(name: str = NAME, port: int = API_HOST_PORT, ca: str = "ca", host: str = "127.0.0.1") -> str:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    entry = f"kind-{name}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": entry,
        "clusters": [{"name": entry, "cluster": {"server": f"https://{host}:{port}", "certificate-authority-data": encoded(ca)}}],
        "contexts": [{"name": entry, "context": {"cluster": entry, "user": entry}}],
        "users": [{"name": entry, "user": {"client-certificate-data": encoded("c"), "client-key-data": encoded("k")}}],
    }
    return yaml.safe_dump(document)


@dataclass
class World:
    """The engine's objects, the kind program and the API, each of which a test can break."""

    state_dir: Path
    containers: dict[str, dict[str, Any]] = field(default_factory=dict)
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    volumes: set[str] = field(default_factory=set)
    images: dict[str, str] = field(default_factory=lambda: {IMAGE: "sha256:" + "1" * 64})
    calls: list[list[str]] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    fail: dict[str, str] = field(default_factory=dict)
    api: Any = None
    uid: str = "uid-1"
    ca: str = "ca"
    unready: int = 0
    events: list[Event] = field(default_factory=list)
    clock: float = 0.0
    kind_fails: str = ""
    interrupt: bool = False
    count: int = 0

    # what Docker does

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        self.calls.append(list(argv))
        if argv[:3] == ["kind", "get", "kubeconfig"]:
            return Completed(kubeconfig_text(port=self._api_port(), ca=self.ca), "", 0)
        assert argv[0] == "docker", argv
        verb = argv[1]
        if verb in self.fail:
            return Completed("", self.fail[verb], 1)
        handler: Callable[[Sequence[str]], Completed] = getattr(self, f"_{verb}")
        return handler(argv[2:])

    def _ps(self, argv: Sequence[str]) -> Completed:
        name = next(word for word in argv if word.startswith("label=")).split("=")[-1]
        found = [raw for raw in self.containers.values() if raw["Config"]["Labels"][CLUSTER_LABEL] == name]
        rows = [f"container {raw['Name'][1:]}" if "--format" in argv else raw["Id"] for raw in found]
        return Completed("\n".join(rows), "", 0)

    def _inspect(self, argv: Sequence[str]) -> Completed:
        kind, names = argv[1], argv[2:]
        if kind == "container":
            known: dict[str, Any] = self.containers
        elif kind == "network":
            known = {**self.networks, **{net["Name"]: net for net in self.networks.values()}}
        elif kind == "volume":
            known = {name: {"Name": name} for name in self.volumes}
        else:
            known = {name: {"Id": image} for name, image in self.images.items()}
        found = [known[name] for name in names if name in known]
        lost = "".join(f"Error: No such {kind}: {name}\n" for name in names if name not in known)
        return Completed(json.dumps(found), lost, 1 if lost else 0)

    def _rm(self, argv: Sequence[str]) -> Completed:
        assert list(argv[:2]) == ["--force", "--volumes"]
        for name in argv[2:]:
            if name in self.containers and name not in self.stuck:
                raw = self.containers.pop(name)
                self.volumes -= {mount["Name"] for mount in raw["Mounts"] if mount["Type"] == "volume"} - self.stuck
        return Completed("", "", 0)

    def _network(self, argv: Sequence[str]) -> Completed:
        if argv[0] == "inspect":
            return Completed("1500\n", "", 0)
        if argv[0] == "rm":
            for name in argv[1:]:
                if name not in self.stuck:
                    self.networks.pop(name, None)
            return Completed("", "", 0)
        assert argv[0] == "create"
        labels = [argv[i + 1] for i, word in enumerate(argv) if word == "--label"]
        self.add_network(argv[-1], dict(label.split("=", 1) for label in labels))
        return Completed("", "", 0)

    def _exec(self, argv: Sequence[str]) -> Completed:
        return Completed("", "", 0)

    def _set(self, names: Sequence[str], status: str) -> Completed:
        for name in names:
            if name in self.containers:
                self.containers[name]["State"]["Status"] = status
        return Completed("", "", 0)

    def _start(self, argv: Sequence[str]) -> Completed:
        return self._set(argv, "running")

    _unpause = _start

    def _restart(self, argv: Sequence[str]) -> Completed:
        self.unready = 0
        return self._set(argv, "running")

    def _stop(self, argv: Sequence[str]) -> Completed:
        return self._set(argv, "exited")

    # what a test arranges

    def add_network(self, name: str, labels: dict[str, str]) -> str:
        self.count += 1
        self.networks[f"net{self.count}"] = {"Id": f"net{self.count}", "Name": name, "Labels": labels}
        return f"net{self.count}"

    def add_node(self, network: str = "", ports: tuple[PortMap, ...] = (), status: str = "running", name: str = NAME) -> str:
        self.count += 1
        node = f"node{self.count}"
        volume = f"volume{self.count}"
        self.volumes.add(volume)
        bindings = {f"{p.node_port}/tcp": [{"HostIp": p.listen, "HostPort": str(p.host_port)}] for p in ports}
        bindings["6443/tcp"] = [{"HostIp": "127.0.0.1", "HostPort": str(API_HOST_PORT)}]
        self.containers[node] = {
            "Id": node,
            "Name": f"/{name}-control-plane",
            "State": {"Status": status},
            "Image": self.images.get(IMAGE, "sha256:0"),
            "Config": {"Image": IMAGE, "Labels": {CLUSTER_LABEL: name}},
            "HostConfig": {"PortBindings": bindings},
            "NetworkSettings": {"Networks": {NAME: {"NetworkID": network}}},
            "Mounts": [{"Type": "volume", "Name": volume}, {"Type": "bind", "Source": "/lib/modules"}],
        }
        return node

    def _api_port(self) -> int:
        raw = next(iter(self.containers.values()))
        return int(raw["HostConfig"]["PortBindings"]["6443/tcp"][0]["HostPort"])

    # what kind does

    def stream(self, argv: Sequence[str], on_line: Callable[[str], None], **options: Any) -> Completed:
        self.calls.append(list(argv))
        options["on_start"](NOBODY)
        options["log"].parent.mkdir(exist_ok=True)
        config = yaml.safe_load(Path(argv[argv.index("--config") + 1]).read_text())
        ports = [PortMap(p["hostPort"], p["containerPort"], p["listenAddress"]) for p in config["nodes"][0].get("extraPortMappings", [])]
        for line in ('Creating cluster "x" ...', " • Preparing nodes 📦  ...", " ✓ Preparing nodes 📦 "):
            on_line(line)
        network = next(net["Id"] for net in self.networks.values() if net["Name"] == options["env"]["KIND_EXPERIMENTAL_DOCKER_NETWORK"])
        self.add_node(network, tuple(ports))
        if self.interrupt:
            raise KeyboardInterrupt
        if self.kind_fails:
            options["log"].write_text(self.kind_fails)
            raise ParityError("COMMAND_FAILED", "kind ended")
        Path(argv[argv.index("--kubeconfig") + 1]).write_text(kubeconfig_text(ca=self.ca))
        return Completed("", "", 0)

    # what the API answers

    def identity(self, kubeconfig: Path) -> Identity:
        if self.unready or not kubeconfig.exists():
            self.unready -= 1
            raise ParityError("KUBE_API_UNREACHABLE", "connection refused")
        return Identity(self.uid, "v1.36.3", hashlib.sha256(self.ca.encode()).hexdigest())

    def nodes(self, kubeconfig: Path) -> list[dict[str, Any]]:
        return [{"name": f"{NAME}-control-plane", "ready": True, "version": "v1.36.3"}]

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    @property
    def waiting(self) -> Waiting:
        return Waiting(10.0, self.sleep, lambda: self.clock)

    @property
    def kubeconfig(self) -> Path:
        return self.state_dir / "kubeconfig"

    @property
    def site(self) -> Site:
        return Site(self.state_dir, self.kubeconfig, runner=self.run, api=self, emit=self.events.append)

    def writes(self) -> list[list[str]]:
        """Every call that changes something."""
        reading = {"ps", "inspect"}
        return [call for call in self.calls if not (call[0] == "docker" and (call[1] in reading or call[1:3] == ["network", "inspect"]))]


@pytest.fixture
def world(tmp_path: Path) -> World:
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    return World(state_dir)


@pytest.fixture
def spec() -> ClusterSpec:
    return ClusterSpec(NAME, IMAGE, (PortMap(8443, 8443),))


@pytest.fixture
def make_kubeconfig() -> Callable[..., str]:
    return kubeconfig_text
