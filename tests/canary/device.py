"""A member's device: the commands of the platform's image, in no container of the platform and with no network."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Device:
    """What it keeps is in ``directory``, which is nobody else's."""

    image: str
    directory: Path
    environment: str
    project: str

    def make_key(self) -> None:
        """A member's two key pairs."""
        self._run("member", "--name=canary")

    def begin(self) -> str:
        """The record of the project's first epoch."""
        return self._run("epoch", *self._project).decode().strip()

    def learn(self, epochs: dict[str, Any]) -> None:
        """What the API says of the project's epochs."""
        (self.directory / "epochs.json").write_text(json.dumps(epochs))

    def seal(self, plaintext: bytes, name: str) -> dict[str, str]:
        """What goes into a request for an instance as private."""
        sealed: dict[str, str] = json.loads(self._run("seal", *self._project, *self._of(name), given=plaintext))
        return sealed

    def open(self, private: dict[str, str], name: str, instance: str) -> bytes:
        """What a member reads of it."""
        return self._run("open", *self._project, *self._of(name), f"--instance={instance}", given=json.dumps(private).encode())

    def _of(self, name: str) -> tuple[str, ...]:
        return "--epochs=epochs.json", f"--name={name}"

    @property
    def _project(self) -> tuple[str, ...]:
        return f"--project={self.project}", "--pin=pin.json"

    def _run(self, command: str, *arguments: str, given: bytes = b"") -> bytes:
        own = f"--user={os.getuid()}:{os.getgid()}"
        argv = ["docker", "run", "--rm", "--interactive", "--network=none", own, f"--volume={self.directory}:/device", "--workdir=/device"]
        argv += ["--entrypoint=/opt/gpuaas/bin/gpuaas", self.image, command, f"--environment={self.environment}", "--key=member.key"]
        return subprocess.run([*argv, *arguments], input=given, stdout=subprocess.PIPE, check=True, timeout=60).stdout
