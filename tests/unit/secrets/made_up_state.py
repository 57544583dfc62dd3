"""A state directory with secrets, and the small contract they are kept for."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.keep import Kept, Origin, keep
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.rotate import Rotated, rotate

CONTRACT: dict[str, Any] = {
    "contract": 1,
    "endpoints": {},
    "services": {
        "api": {"secrets": {"database": "db_password", "cookie": "cookie_key"}},
        "db": {"secrets": {"password": "db_password"}},
        "web": {"secrets": {}},
    },
    "secrets": {
        "db_password": {"type": "password", "readers": ["api", "db"], "means": "x"},
        "cookie_key": {"type": "key", "readers": ["api"], "means": "x"},
        "admin_password": {"type": "password", "readers": ["operator"], "means": "used by no service"},
    },
}
CANARY = "Canary_0123456789abcdefghijklmnop"
SEED = b"seed of a pipeline, 0123456789 abcdef\n"


def leaves(entry: Any) -> Iterator[str]:
    """The values in secrets.yml, also those within a keyring."""
    match entry:
        case dict():
            for name, item in entry.items():
                if name not in ("type", "derived_from", "wrapped_by"):
                    yield from leaves(item)
        case str():
            yield entry


class State:
    """A state directory and the contract its secrets are kept for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.contract = copy.deepcopy(CONTRACT)
        self.file = root / "secrets" / "secrets.yml"
        self.files = root / "secrets" / "files"
        self.previous = root / "secrets" / "previous.yml"
        self.seed_file = root.parent / "seed"

    def keep(self, tier: str = "local", *, cluster_exists: bool = False, dry: bool = False) -> Kept:
        seed = self.seed_file if tier == "ci" else None
        return keep(self.contract, self.root, Origin(tier, seed), cluster_exists=cluster_exists, dry=dry)

    def rotate(self, name: str, tier: str = "local", *, value_file: Path | None = None, dry: bool = False) -> Rotated:
        return rotate(self.contract, self.root, name, tier=tier, value_file=value_file, dry=dry)

    def seed(self, data: bytes = SEED) -> State:
        self.seed_file.unlink(missing_ok=True)
        self.seed_file.touch(mode=0o600)
        self.seed_file.write_bytes(data)
        return self

    def refused(self, call: Callable[..., object] | None = None, *arguments: Any, **options: Any) -> ParityError:
        """The failure of ``keep`` or of ``call``; nothing on disk may have changed, no value may be disclosed."""
        before = self.snapshot()
        told = set(leaves(self.values)) if self.file.is_file() and call else set()
        with pytest.raises(ParityError) as caught:
            (call or self.keep)(*arguments, **options)
        assert self.snapshot() == before
        text = f"{caught.value} {caught.value.details}"
        assert not [value for value in {CANARY, *told} if value in text]
        assert caught.value.do
        return caught.value

    def snapshot(self) -> dict[str, Any]:
        def content(path: Path) -> Any:
            return (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)

        return {str(path): content(path) for path in sorted(self.root.rglob("*"))}

    @property
    def values(self) -> dict[str, Any]:
        values = yaml.safe_load(self.file.read_text())
        assert isinstance(values, dict)
        return values

    def write(self, text: str | bytes) -> None:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.file.write_bytes(text.encode() if isinstance(text, str) else text)
        self.file.chmod(0o600)

    def set(self, **values: Any) -> None:
        self.write(json.dumps(self.values | values))

    def drop(self, *names: str) -> None:
        self.write(json.dumps({name: value for name, value in self.values.items() if name not in names}))
