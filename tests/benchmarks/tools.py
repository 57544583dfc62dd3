"""Programs and clocks of the benchmark."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PLAYBOOKS = ROOT / "playbooks"
HERE = Path(__file__).resolve().parent


# What a developer's shell does not have: without its cache of bytecode, Python compiles at every start.
_UNWANTED = {"KUBECONFIG", "PYTHONDONTWRITEBYTECODE"}


class Failed(Exception):
    """A program of the benchmark did not do what it should."""


def run(*argv: str | Path, input: str | None = None, env: dict[str, str] | None = None, check: bool = True) -> str:
    """Standard output of a program; its last words when it fails."""
    command = [str(part) for part in argv]
    clean = {key: value for key, value in os.environ.items() if key not in _UNWANTED}
    done = subprocess.run(command, input=input, env={**clean, **(env or {})}, capture_output=True, text=True, cwd=ROOT, check=False)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(command[:6])} ended with {done.returncode}\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


@dataclass
class Watch:
    """Seconds of named steps, in the order they were taken."""

    steps: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        print(f"  {name} …", end="", flush=True)
        start = time.monotonic()
        yield
        self.steps[name] = time.monotonic() - start
        print(f" {self.steps[name]:.1f} s", flush=True)

    @property
    def total(self) -> float:
        return sum(self.steps.values())


def timed(work: Callable[[], object], rounds: int) -> list[float]:
    """Seconds of each of several rounds."""
    found = []
    for _round in range(rounds):
        start = time.monotonic()
        work()
        found.append(time.monotonic() - start)
    return found


@dataclass(frozen=True)
class Ansible:
    """Playbooks of a mode, with variables of the benchmark's own."""

    mode: str
    variables: Sequence[str] = ()

    def __call__(self, playbook: Path, **env: str) -> str:
        """Run one playbook; its output."""
        arguments = [part for name in self.variables for part in ("-e", name)]
        config = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "PATH": f"{BIN}:{os.environ['PATH']}", **env}
        return run(BIN / "ansible-playbook", "-i", ROOT / "inventories" / self.mode, playbook, *arguments, env=config)

    def counted(self, playbook: Path) -> tuple[int, int]:
        """Run one playbook; how many steps it took and how many of them changed something."""
        said = re.findall(r"\((\d+) steps?, (\d+) changed\)", self(playbook))
        if not said:
            raise Failed(f"{playbook.name} did not say its steps")
        return int(said[-1][0]), int(said[-1][1])
