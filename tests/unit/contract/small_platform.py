"""A small platform: an API behind an ingress, with a database that has storage."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[3]

DEFAULTS = {"lane": "core", "secrets_source": "file:///run/secrets/shop", "ca_file": "/etc/shop/ca.crt"}

PLATFORM: dict[str, Any] = {
    "lanes": {"core": ["api", "db"]},
    "endpoints": {"shop": {"service": "api", "name": "www", "health": "/ready", "purpose": "the shop"}},
    "services": {
        "api": {
            "role": "front",
            "image": "shop",
            "ports": {"http": 8000},
            "settings": {
                "APP_URL": {"type": "url", "value": "${endpoints.shop.url}/start", "means": "Own URL"},
                "APP_DB_HOST": {"type": "hostname", "value": "${services.db.host}", "means": "Database"},
                "APP_DB_PORT": {"type": "port", "value": "${services.db.port}", "means": "Its port"},
                "APP_DEBUG": {"type": "boolean", "value": False, "means": "Tell more"},
                "APP_WORKERS": {"type": "integer", "value": 2, "means": "Processes"},
                "APP_TIMEOUT": {"type": "duration", "value": "1m30s", "means": "Patience"},
                "APP_SECRETS_SOURCE": {"type": "url", "value": "${secrets_source}", "means": "Who is asked for secrets"},
                "APP_CA": {"type": "path", "value": "${ca_file}", "means": "CA bundle"},
                "APP_GREETING": {"type": "string", "value": "grüezi = # hello", "means": "Said at start"},
            },
            "secrets": {"database": {"secret": "db_password"}, "cookie": {"secret": "cookie_key"}},
        },
        "db": {
            "role": "data",
            "image": "postgres",
            "ports": {"postgres": 5432},
            "settings": {},
            "secrets": {"password": {"secret": "db_password"}},
        },
    },
    "secrets": {
        "db_password": {"type": "password", "means": "Database role"},
        "cookie_key": {"type": "key", "means": "Signs cookies"},
    },
}

MODE: dict[str, Any] = {
    "mode": "kind",
    "title": "one node",
    "target": "kubernetes",
    "tier": "local",
    "cluster": "shop",
    "may": ["up"],
    "instead": "elsewhere",
    "port": 8443,
    "placement": {"api": {"replicas": 2}, "db": {"storage_class": "fast", "storage": "2Gi"}},
}

API = """\
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop-front}
spec:
  selector: {app.kubernetes.io/name: api}
  ports: [{name: http, port: 8000, targetPort: http}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop-front, labels: {app.kubernetes.io/name: api}}
spec:
  replicas: 1
  selector: {matchLabels: {app.kubernetes.io/name: api}}
  template:
    metadata: {labels: {app.kubernetes.io/name: api}}
    spec:
      containers:
        - name: api
          image: shop
          securityContext: {runAsUser: 1, runAsGroup: 1}
          envFrom: [{configMapRef: {name: api-config}}]
          readinessProbe: {httpGet: {path: /ready, port: http}}
          ports: [{name: http, containerPort: 8000}]
          volumeMounts: [{name: secrets, mountPath: /run/secrets/shop}, {name: ca, mountPath: /etc/shop}]
      volumes:
        - {name: secrets, secret: {secretName: api-secrets}}
        - {name: ca, configMap: {name: gpuaas-ca}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop-front}
spec:
  rules:
    - host: shop.invalid
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: api, port: {name: http}}}}]}
  tls: [{hosts: [shop.invalid], secretName: shop-tls}]
"""

DB = """\
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop-data}
spec:
  selector: {app.kubernetes.io/name: db}
  ports: [{port: 5432}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop-data, labels: {app.kubernetes.io/name: db}}
spec:
  serviceName: db
  selector: {matchLabels: {app.kubernetes.io/name: db}}
  template:
    metadata: {labels: {app.kubernetes.io/name: db}}
    spec:
      securityContext: {runAsUser: 2, runAsGroup: 2}
      containers:
        - name: db
          image: postgres
          ports: [{containerPort: 5432}]
          readinessProbe: {exec: {command: [pg_isready]}}
          volumeMounts:
            - {name: data, mountPath: /data}
            - {name: prepare, mountPath: /prepare}
            - {name: secrets, mountPath: /run/secrets/shop}
      volumes:
        - {name: prepare, configMap: {name: db-prepare}}
        - {name: secrets, secret: {secretName: db-secrets, items: [{key: password, path: password}]}}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


EXCEPTIONS: dict[str, Any] = {
    "api": {"source": {"folder": "src", "at": "/src", "environment": {"APP_PATH": "/src"}, "why": "An edit shows at once."}},
    "db": {"publish": {"port": 15432, "why": "Tools of this machine."}},
}


class Platform:
    """A platform on disk, which a test changes before it renders it.

    ``platform`` is the assembled contract; `write` gives each component its folder.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / "platform"
        self.platform = copy.deepcopy(PLATFORM)
        self.mode = copy.deepcopy(MODE)
        self.others: dict[str, dict[str, Any]] = {}
        self.exceptions = copy.deepcopy(EXCEPTIONS)
        (self.folder / "modes").mkdir(parents=True)
        self.manifest("api", "api.yaml", API)
        kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [db.yaml]\n"
        generator = "configMapGenerator: [{name: db-prepare, namespace: shop-data, files: [prepare.sh]}]\n"
        self.manifest("db", "kustomization.yaml", kustomization + generator)
        self.manifest("db", "db.yaml", DB)
        self.manifest("db", "prepare.sh", "#!/bin/sh\n")

    def component(self, name: str) -> Path:
        return self.folder / "components" / name

    def manifest(self, component: str, name: str, text: str) -> None:
        path = self.component(component) / "kubernetes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def other(self, name: str, target: str, **changes: Any) -> dict[str, Any]:
        """A second mode, which says what the first one does but for its target and ``changes``."""
        mode = copy.deepcopy(self.mode) | {"mode": name, "target": target} | changes
        if target != "kubernetes":
            mode.pop("cluster")
        if target == "compose":
            mode |= {"project": "shop", "placement": {}}
        self.others[name] = mode
        return mode

    def edit(self, component: str, name: str, old: str, new: str) -> None:
        path = self.component(component) / "kubernetes" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def component_says(self, name: str, **values: Any) -> None:
        self.platform["services"][name].update(values)

    def default(self, name: str, value: str) -> None:
        """What holds in every mode that does not say otherwise."""
        self.platform.setdefault("defaults", dict(DEFAULTS))[name] = value

    def setting(self, name: str, **values: Any) -> None:
        self.platform["services"]["api"]["settings"].setdefault(name, {"means": "x"}).update(values)

    def write(self) -> Platform:
        for name, document in split(self.platform).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
        for name, mode in {"kind": self.mode, **self.others}.items():
            (self.folder / "modes" / f"{name}.yml").write_text(yaml.safe_dump(mode, sort_keys=False))
        in_compose = any(mode["target"] == "compose" for mode in self.others.values())
        for name, said in self.exceptions.items() if in_compose else ():
            (self.component(name) / "compose.yml").write_text(yaml.safe_dump(said, sort_keys=False))
            (self.component(name) / "image").mkdir(exist_ok=True)
            image = self.platform["services"].get(name, {}).get("image")
            (self.component(name) / "image/image.yml").write_text(yaml.safe_dump({image: {"developed": True}}))
        return self


def split(whole: dict[str, Any]) -> dict[str, Any]:
    """An assembled contract as the documents that it is assembled from, by path below the platform's folder."""
    lanes = {lane: members if isinstance(members, dict) else {"components": members} for lane, members in whole["lanes"].items()}
    head = {"platform": 1, "domain": "shop.localhost", "lanes": lanes, "defaults": DEFAULTS, "secrets": whole["secrets"]}
    head |= {key: value for key, value in whole.items() if key not in ("lanes", "endpoints", "services", "secrets")}
    documents = {"platform.yml": head}
    for name, service in whole["services"].items():
        own = {
            key: {part: value for part, value in endpoint.items() if part != "service"}
            for key, endpoint in whole["endpoints"].items()
            if endpoint["service"] == name
        }
        documents[f"components/{name}/component.yml"] = {**({"endpoints": own} if own else {}), **service}
    return documents
