# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A probe of the kubelet as the health check of a container: a command, and how long a start may take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import dig, items
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import words

# Asked twice a second until it is healthy, which is what others wait for, then seldom.
EVERY: dict[str, Any] = {"interval": "15s", "timeout": "5s", "retries": 4, "start_period": "5m", "start_interval": "500ms"}
_START_SECONDS = 300
_CONNECT = "exec 2> /dev/null\nexec 3<> /dev/tcp/127.0.0.1/{port} || {{ echo 'nothing listens'; exit 1; }}\n"
# As the kubelet counts: 200 to 399 is ready. Who is not may say why, after the headers and in few words: `status` shows them.
_GET = (
    "printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3\n"
    "read -r _ status _ <&3\n"
    'case "$status" in 2?? | 3??) exit ;; esac\n'
    "while IFS= read -r line <&3 && [ \"$line\" != $'\\r' ]; do :; done\n"
    "IFS= read -rN 240 said <&3\n"
    'echo "answers $status${{said:+: $said}}"\n'
    "exit 1\n"
)


def probe_of(container: Mapping[str, Any]) -> dict[str, Any]:
    """What tells that a container is ready: its readiness probe, else the one that ends its start; empty without either."""
    found = container.get("readinessProbe") or container.get("startupProbe")
    return found if isinstance(found, dict) else {}


def test_of(container: Mapping[str, Any], ports: Mapping[str, int]) -> list[str] | None:
    """The words of the command that its probe amounts to; None for a probe that no command in the container stands for.

    ``ports`` are the component's by name, which a mode may set. An HTTP or TCP probe takes a bash in the image.
    """
    probe = probe_of(container)
    if command := words(dig(probe, "exec", "command")):
        return command
    for kind, known in (("httpGet", {"path", "port"}), ("tcpSocket", {"port"})):
        asked = probe.get(kind)
        if isinstance(asked, dict) and set(asked) <= known | ({"scheme"} if asked.get("scheme") == "HTTP" else set()):
            port = _number(asked.get("port"), container, ports)
            script = _CONNECT.format(port=port) + (_GET.format(path=asked.get("path", "/")) if kind == "httpGet" else "")
            return ["bash", "-c", script] if port else None
    return None


def health(test: list[str], container: Mapping[str, Any]) -> dict[str, Any]:
    """A health check of Compose; a start may take as long as the startup probe lets it, and five minutes at least."""
    every, often = (dig(container, "startupProbe", key) for key in ("periodSeconds", "failureThreshold"))
    seconds = (every if isinstance(every, int) else 10) * (often if isinstance(often, int) else 3)
    return {"test": ["CMD", *test]} | EVERY | ({"start_period": f"{seconds}s"} if seconds > _START_SECONDS else {})


def _number(port: Any, container: Mapping[str, Any], ports: Mapping[str, int]) -> int | None:
    if isinstance(port, int):
        return port
    declared = (item.get("containerPort") for item in items(container, "ports") if item.get("name") == port)
    found = ports.get(str(port)) or next(declared, None)
    return found if isinstance(found, int) else None
