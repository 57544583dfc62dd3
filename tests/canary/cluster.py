"""Everything that the identities of a cluster hold and can read, as bytes that can be searched."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import open_context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import service_token, user_token
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client
from ansible_collections.gpuaas.parity.tests.canary.places import EVERYTHING_CACHED, SPANS, said
from ansible_collections.gpuaas.parity.tests.canary.plant import Visit
from ansible_collections.gpuaas.parity.tests.canary.search import Place
from ansible_collections.gpuaas.parity.tests.writes.site import site_of

# Keys are short, and so is what has them; data is searched as a whole.
LONGEST_KEY_FILE = 65536
_MOUNTED, _LOGS = "/var/lib/kubelet/pods", "/var/log/pods"
_OBJECTS = "secrets,configmaps,pods,deployments,statefulsets,jobs,serviceaccounts"
# As each role, every column of every table that it may read.
_READABLE = """. /etc/gpuaas/prepare/roles.sh; . /etc/gpuaas/prepare/login.sh
login "$1" 127.0.0.1 --quiet --tuples-only --no-align <<'SQL'
SELECT format('COPY (SELECT %s FROM %s) TO STDOUT', string_agg(quote_ident(a.attname), ', '), c.oid::regclass)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relkind IN ('r', 'v', 'm') AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
    AND has_schema_privilege(c.relnamespace, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')
  GROUP BY c.oid \\gexec
SQL"""
_ROLES = ". /etc/gpuaas/prepare/roles.sh; roles"


@dataclass(frozen=True)
class Cluster:
    """A platform in kind that is up."""

    state_dir: Path
    contract: dict[str, Any]

    @property
    def image(self) -> str:
        """The control plane's, on this machine."""
        images = json.loads((self.state_dir / "images" / "images.json").read_text())["images"]
        return f"gpuaas-parity/control-plane:{images['control-plane']['key']}"

    def kubectl(self, *argv: str) -> Iterator[bytes]:
        """What it prints."""
        return said(str(Path(sys.executable).with_name("kubectl")), f"--kubeconfig={self.state_dir}/kubeconfig", *argv)

    def inside(self, service: str, *command: str) -> Iterator[bytes]:
        """What a command prints in a component's container."""
        its = self.contract["services"][service]
        kind = next(kind for kind in ("statefulset", "deployment") if self._has(kind, service, its["namespace"]))
        return self.kubectl(f"--namespace={its['namespace']}", "exec", f"{kind}/{service}", "--", *command)

    def _has(self, kind: str, name: str, namespace: str) -> bool:
        return bool(b"".join(self.kubectl(f"--namespace={namespace}", "get", kind, name, "--ignore-not-found", "--output=name")))

    def on_node(self, directory: str) -> Iterator[bytes]:
        """The files below a directory, as an archive."""
        node = f"{json.loads((self.state_dir / 'cluster.json').read_text())['name']}-control-plane"
        # 1: a file changed as it was read.
        argv = ["docker", "exec", node, "tar", "--create", "--file=-", "--directory", directory, "."]
        return said(*argv, accepted=(0, 1))

    def data(self) -> list[str]:
        """The directories of the node that hold volumes."""
        volumes = json.loads(b"".join(self.kubectl("get", "persistentvolumes", "--output=json")))["items"]
        sources = [volume["spec"].get("hostPath") or volume["spec"]["local"] for volume in volumes]
        return sorted(str(source["path"]) for source in sources)


def places(cluster: Cluster, instance: str) -> Iterator[Place]:
    """What each identity can read, and what the node has of all of them."""
    for role in b"".join(cluster.inside("postgres", "sh", "-c", _ROLES)).decode().split():
        yield Place(f"role {role}", "", lambda role=role: cluster.inside("postgres", "sh", "-c", _READABLE, "as", role))  # type: ignore[misc]
    yield Place("cache", "subject's key", lambda: cluster.inside("redis", "sh", "-c", EVERYTHING_CACHED))
    yield Place("tokens of all users and clients", "platform", lambda: answers(cluster, instance))
    yield Place("objects of the cluster", "a key", lambda: cluster.kubectl("get", _OBJECTS, "--all-namespaces", "--output=json"))
    yield Place("what pods have mounted", "a key", lambda: cluster.on_node(_MOUNTED))
    yield Place("logs", "instance", lambda: cluster.on_node(_LOGS))
    yield Place("volumes of data", "name", lambda: (chunk for path in cluster.data() for chunk in cluster.on_node(path)))
    if "traces" in cluster.contract["services"]:
        yield Place("traces", "instance", lambda: cluster.inside("traces", *SPANS))


def answers(cluster: Cluster, instance: str) -> Iterator[bytes]:
    """What the API says to everybody whom the realm knows, of an instance that is not theirs."""
    url = cluster.contract["endpoints"]["api"]["url"]
    with open_context(site_of(cluster.state_dir)) as context, client(context.ca_file) as http:
        realm = context.realm
        makers = {user: lambda user=user: user_token(context, user, "gpuaas-web") for user in realm["users"]}  # type: ignore[misc]
        accounts = [name for name, its in realm["clients"].items() if its.get("kind") == "service_account"]
        makers |= {name: lambda name=name: service_token(context, name) for name in accounts}  # type: ignore[misc]
        for who, make in makers.items():
            visit = Visit(http, url, make())
            for path in (f"instances/{instance}", f"instances/{instance}/timeline", "envelopes", "platform"):
                response = visit.send("GET", path)
                yield f"{httpx.URL(url).host} {who} {path} {response.status_code}\n".encode() + response.content


def keys(cluster: Cluster, read: Iterable[bytes]) -> Iterator[bytes]:
    """Everything that may have a key in it: what is mounted, file by file, and what else was read."""
    yield from read
    archive = io.BytesIO(b"".join(cluster.on_node(_MOUNTED)))
    with tarfile.open(fileobj=archive) as files:
        for member in files:
            if member.size <= LONGEST_KEY_FILE and (file := files.extractfile(member) if member.isfile() else None):
                yield file.read()
