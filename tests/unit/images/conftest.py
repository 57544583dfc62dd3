"""A platform that brings images, and folders that images are made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MANIFEST = """\
apiVersion: batch/v1
kind: Job
metadata: {name: NAME, namespace: team, labels: {app.kubernetes.io/name: NAME}}
spec:
  template:
    metadata: {labels: {app.kubernetes.io/name: NAME}}
    spec:
      containers: [{name: NAME, image: NAME}]
"""
PLATFORM = """\
platform: 1
domain: team.localhost
lanes: {core: {components: []}}
defaults: {lane: core, secrets_source: "file:///run/secrets/team", ca_file: /etc/team/ca.crt}
"""
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(path: str, text: str) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return write


@pytest.fixture
def component(write: Write) -> Callable[..., None]:
    """Add a component to the platform in team/: its image.yml, and more of its component.yml."""

    def component(name: str, image: str = "", said: str = "") -> None:
        folder = f"team/components/{name}"
        write(f"{folder}/component.yml", f"role: team\n{said}")
        write(f"{folder}/kubernetes/kustomization.yaml", "resources: [job.yaml]\n")
        write(f"{folder}/kubernetes/job.yaml", MANIFEST.replace("NAME", name))
        if image:
            write(f"{folder}/image/image.yml", image)

    return component


@pytest.fixture
def team(tmp_path: Path, write: Write) -> Path:
    """The folder of a platform without components, beside a collection whose shared images are base and node."""
    write("images/catalog.yml", "base: {bootstrap: trixie}\nnode: {context: node}\n")
    write("team/platform.yml", PLATFORM)
    return tmp_path / "team"
