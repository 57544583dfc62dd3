"""Made-up platforms: contracts, modes and the components' files that fit them, as hypothesis draws them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import split
from hypothesis import strategies as st

TARGETS = {"compose": "compose", "kind": "kubernetes", "one": "gitops", "two": "gitops"}
_NAMES = ["api", "db", "cache", "web"]
_LABELS = st.text("abcdefghij", min_size=1, max_size=8)
_TEXTS = st.text("aZ9 $#='\"\\{}:/.-é", min_size=1, max_size=12).map(str.strip).filter(lambda text: text and "${" not in text)
_KEYS = st.text("ABCXYZ", min_size=1, max_size=4).map(lambda text: f"APP_{text}_")


@st.composite
def _setting(draw: st.DrawFn, services: list[str], endpoints: list[str]) -> dict[str, Any]:
    host = st.sampled_from(services).map(lambda name: f"${{services.{name}.host}}")
    port = st.sampled_from(services).map(lambda name: f"${{services.{name}.ports.main}}")
    values: dict[str, st.SearchStrategy[Any]] = {
        "string": st.one_of(_TEXTS, st.tuples(_LABELS, host, port).map(lambda parts: f"{parts[0]}@{parts[1]}:{parts[2]}/x")),
        "integer": st.integers(-5, 5000),
        "boolean": st.one_of(st.booleans(), st.just("${ingress_objects}")),
        "port": st.one_of(st.integers(1, 65535), port),
        "hostname": st.one_of(host, st.just("${domain}"), _LABELS),
        "path": st.one_of(st.just("${ca_file}"), _LABELS.map(lambda text: f"/{text}")),
        "url": st.one_of(st.just("${secrets_source}"), st.sampled_from(endpoints).map(lambda name: f"${{endpoints.{name}.url}}/path")),
        "duration": st.just("1m30s"),
    }
    kind = draw(st.sampled_from(sorted(values)))
    return {"type": kind, "value": draw(values[kind]), "means": "something"}


@st.composite
def platforms(draw: st.DrawFn) -> dict[str, Any]:
    """A contract, a realm, four modes, and the components' files by path, consistent with each other."""
    services = draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3, unique=True))
    endpoints = draw(st.lists(st.sampled_from(services), min_size=1, max_size=2, unique=True))
    contract: dict[str, Any] = {
        "lanes": {"core": services},
        "endpoints": {name: {"service": name, "name": f"www-{name}", "health": "/ok", "purpose": "x"} for name in endpoints},
        "services": {
            name: {
                "role": draw(st.sampled_from(["front", "back"])),
                "image": "x",
                "ports": {"main": 1000 + index, **draw(st.sampled_from([{}, {"more": 2000 + index}]))},
                "main_port": "main",
                "needs": draw(st.sampled_from([[], services[:index]])),
                "settings": draw(st.dictionaries(_KEYS, _setting(services, endpoints), max_size=4)),
                "secrets": {"password": {"secret": "common"}},
            }
            for index, name in enumerate(services)
        },
        "secrets": {"common": {"type": "password", "means": "a secret"}},
    }
    modes = {mode: _mode(draw, mode, services) for mode in TARGETS}
    back = f"${{endpoints.{endpoints[0]}.url}}/back"
    realm = {"realm": "shop", "roles": ["a", "b"], "clients": {"x": {"uris": [back], "ttl": draw(st.integers(1, 9))}}}
    published = {name: draw(st.sampled_from([0, 20000 + index])) for index, name in enumerate(services)}
    return {"contract": contract, "realm": realm, "modes": modes, "files": _files(contract, published)}


def _mode(draw: st.DrawFn, mode: str, services: list[str]) -> dict[str, Any]:
    target = TARGETS[mode]
    replicas = st.integers(1, 5).map(lambda count: {"replicas": count})
    placement: dict[str, Any] = {}
    if target != "compose":
        placement = {name: draw(st.one_of(st.just({}), replicas)) for name in services}
    if draw(st.booleans()):
        # The first label is the name of the Service object.
        name = draw(st.sampled_from(services))
        placement[name] = {"provided_by": "somebody", "host": f"{name}.{draw(_LABELS)}.example"}
    said: dict[str, Any] = {
        "domain": draw(_LABELS) + ".example",
        "secrets_source": draw(st.sampled_from(["file:///run/a", "file:///run/b", "infisical+https://x.example/p/e/q"])),
        "ca_file": draw(st.sampled_from(["/etc/a", "/etc/b"])),
    }
    return {
        "mode": mode,
        "title": "x",
        "target": target,
        "tier": "local",
        "may": ["up"],
        "instead": "elsewhere",
        **{"compose": {"project": "shop"}, "kubernetes": {"cluster": "shop"}, "gitops": {}}[target],
        "port": draw(st.sampled_from([443, 8443, 9443])),
        # What a mode does not say is the platform's default.
        **{key: value for key, value in said.items() if draw(st.booleans())},
        "placement": placement,
    }


def write(platform: dict[str, Any], root: Path) -> None:
    """The platform as files below ``root``."""
    documents = split(platform["contract"]) | {"realm.yml": platform["realm"]}
    documents |= {f"modes/{name}.yml": mode for name, mode in platform["modes"].items()}
    for name, text in ({name: _yaml(document) for name, document in documents.items()} | platform["files"]).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(document: Any) -> str:
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True))


def _files(contract: dict[str, Any], published: dict[str, int]) -> dict[str, str]:
    files = {}
    for name, service in contract["services"].items():
        folder = f"components/{name}"
        objects = [*_objects(name, service), *([_ingress(name)] if name in contract["endpoints"] else [])]
        files[f"{folder}/kubernetes/{name}.yaml"] = "---\n".join(_yaml(item) for item in objects)
        if publish := published.get(name):
            files[f"{folder}/compose.yml"] = _yaml({"publish": {"port": publish, "why": "Tools of this machine."}})
    return files


def _objects(name: str, service: dict[str, Any]) -> list[dict[str, Any]]:
    labels = {"app.kubernetes.io/name": name}
    meta = {"name": name, "namespace": "shop", "labels": labels}
    source = [{"configMapRef": {"name": f"{name}-config"}}] if service["settings"] else []
    ports = [{"name": port, "containerPort": number} for port, number in service["ports"].items()]
    container: dict[str, Any] = {"name": name, "image": "x", "envFrom": source, "ports": ports}
    container["readinessProbe"] = {"exec": {"command": ["ready", "$PORT"]}}
    container["volumeMounts"] = [{"name": "secrets", "mountPath": "/run/secrets"}]
    volumes = [{"name": "secrets", "secret": {"secretName": f"{name}-secrets"}}]
    template = {
        "metadata": {"labels": labels},
        "spec": {"securityContext": {"runAsUser": 1, "runAsGroup": 1}, "containers": [container], "volumes": volumes},
    }
    exposed = [{"name": port, "port": number} for port, number in service["ports"].items()]
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": labels, "ports": exposed}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": template}},
    ]


def _ingress(name: str) -> dict[str, Any]:
    backend = {"service": {"name": name, "port": {"name": "main"}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app.kubernetes.io/name": name}},
        "spec": {
            "rules": [{"host": "x.invalid", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
            "tls": [{"hosts": ["x.invalid"], "secretName": f"{name}-tls"}],
        },
    }
