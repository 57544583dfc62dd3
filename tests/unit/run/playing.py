"""One task through Ansible itself, as a playbook of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]


def play_task(folder: Path, action: str, arguments: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """What became of it; ``folder`` holds the playbook, and is home and working directory."""
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"name": "Act", f"gpuaas.parity.{action}": arguments}]}]
    (folder / "play.yml").write_text(yaml.safe_dump(play))
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", folder / "play.yml"],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
