# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build one image with the Docker engine, or bootstrap a Debian base without any registry."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, cast

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Image
from ansible_collections.gpuaas.parity.plugins.module_utils._images.source import pull
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import PATIENT, run, tail

REPOSITORY = "gpuaas-parity"
# Where Debian, Fedora and SUSE keep the bundle that the system trusts. A build
# behind a TLS-inspecting proxy must trust what its host trusts.
_CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
# A line that says what is wrong, as compilers, apt, pip, Go and Maven begin or word it.
_TELLING = re.compile(
    r"\b(?:errors?|fatal|failed|cannot|could not|no such|denied|not found|no space|killed|undefined)\b|^E: ", re.IGNORECASE
)
_STAMP = re.compile(r"^(?:#\d+ )?(?:\d+\.\d+ )?")
_FAILED_STEP = re.compile(r"^------\n(.*?)^------$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Builder:
    """Builds images; logs and exported files go below ``cache``. ``pulls`` says whether a registry may be asked."""

    cache: Path
    tags: Mapping[str, str]
    pulls: bool = True

    def build(self, image: Image, says: Callable[[str], None], announce: Callable[[str], None]) -> None:
        """Build ``image``; its parents exist. ``says`` receives each line of progress, ``announce`` what the user must read.

        Raises ParityError ``IMAGE_BUILD_FAILED`` with the end of the log and its path, ``IMAGE_PULL_FAILED`` with what the engine said.
        """
        if image.pulled:
            pull(image, self.tags[image.name], self.cache, announce, may_ask=self.pulls)
            return
        log = self.cache / "logs" / f"{image.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        if image.bootstrap:
            self._bootstrap(image, log, says)
            self._record_packages(image)
            return
        argv = ["docker", "buildx", "build", "--builder", "default", "--progress", "plain"]
        bundle = next((path for path in _CA_BUNDLES if os.access(path, os.R_OK)), None)
        if bundle:
            argv += ["--secret", f"id=ca,src={bundle}"]
        for argument, parent in image.from_.items():
            argv += ["--build-arg", f"{argument}={self.tags[parent]}"]
        for name, folder in image.contexts.items():
            argv += ["--build-context", f"{name}={folder}"]
        if image.target:
            argv += ["--target", image.target]
        if image.export:
            argv += ["--output", f"type=local,dest={self.exported(image).parent}"]
        else:
            argv += ["--tag", self.tags[image.name]]
        _logged([*argv, str(image.context)], log, says, image.name)
        if not image.export:
            self._record_packages(image)

    def exists(self, image: Image) -> bool:
        """Whether the image of this key is there already."""
        if image.export:
            return self.exported(image).is_file()
        return self.tags[image.name] in self._present

    @cached_property
    def _present(self) -> frozenset[str]:
        """Every tag of ours that the engine holds, asked once."""
        listed = run(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={REPOSITORY}/*"])
        return frozenset(listed.stdout.split())

    def exported(self, image: Image) -> Path:
        """Where the exported file of ``image`` lies on the host."""
        return self.cache / "bin" / self.tags[image.name].rsplit(":", 1)[1] / image.export

    def _record_packages(self, image: Image) -> None:
        """Write which Debian packages, in which versions, ``image`` was made of: an archive moves on, this does not."""
        tag = self.tags[image.name]
        listed = run(
            ["docker", "run", "--rm", "--network", "none", "--entrypoint", "dpkg-query", tag, "--show"], timeout=PATIENT, check=False
        )
        # An image without a package database was not made of packages.
        if listed.rc == 0:
            record = self.cache / "packages" / f"{image.name}-{tag.rsplit(':', 1)[1]}.txt"
            record.parent.mkdir(parents=True, exist_ok=True)
            record.write_text(listed.stdout)

    def _bootstrap(self, image: Image, log: Path, says: Callable[[str], None]) -> None:
        with tempfile.TemporaryDirectory(prefix="gpuaas-parity-") as scratch:
            tarball = Path(scratch) / "base.tar"
            _logged(["mmdebstrap", "--variant=minbase", "--include=ca-certificates", image.bootstrap, str(tarball)], log, says, image.name)
            run(["docker", "import", str(tarball), self.tags[image.name]], timeout=PATIENT)


def _logged(argv: list[str], log: Path, says: Callable[[str], None], name: str) -> None:
    """Run ``argv``, every line into ``log`` and to ``says``."""
    try:
        # ansible-test wants AnsibleModule.run_command, which only a module on a target has.
        # pylint: disable-next=ansible-bad-function
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        raise ParityError(
            "IMAGE_BUILD_FAILED", f"{name}: cannot start {argv[0]}: {error}", do="{up} runs the host role, which installs it"
        ) from error
    try:
        with log.open("w") as out:
            for raw in cast(IO[bytes], child.stdout):
                line = raw.decode(errors="replace").rstrip()
                out.write(line + "\n")
                says(line)
        status = child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
    if status != 0:
        end = tail(_cause(log.read_text(errors="replace")))
        raise ParityError(
            "IMAGE_BUILD_FAILED",
            f"{name}: {argv[0]} ended with status {status}\n{end}",
            do=f"read {log}, then run the same command again: what was built stays built",
            details={"line": _telling(end)},
        )


def _cause(log: str) -> str:
    """What the step that failed said. BuildKit repeats its end between two rules, before it quotes the Dockerfile."""
    said = _FAILED_STEP.findall(log)
    return str(said[-1]) if said else log


def _telling(end: str) -> str:
    """The first line of ``end`` that says what is wrong; its last where none does."""
    lines = [_STAMP.sub("", line.strip()) for line in end.splitlines()] or ["it printed nothing"]
    return next((line for line in lines if _TELLING.search(line) and not line.startswith("> [")), lines[-1])
