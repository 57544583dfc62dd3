"""Tasks through Ansible itself, as a playbook of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]


def play_task(folder: Path, action: str, arguments: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """What became of one of the collection's own; ``folder`` holds the playbook, and is home and working directory."""
    return play(folder, [{"name": "Act", f"gpuaas.parity.{action}": arguments}])


def play(folder: Path, tasks: list[dict[str, Any]], *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What became of ``tasks``, with more ``options`` of ansible-playbook and more in its environment."""
    (folder / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", folder / "play.yml", *options],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "HOME": str(folder), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
