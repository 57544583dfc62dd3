"""``DecryptionContext`` is the only way to plaintext in server code: nobody else imports what opens, or makes what is open."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gpuaas

SOURCE = Path(gpuaas.__file__).parent
INSIDE = "encryption"
# What others may import of the package, and from there by name what they may not: what opens.
OPEN_TO_ALL = {
    "binding",
    "refusal",
    "security",
    "decryption",
    "environment",
    "dashboard",
    "store",
    "member",
    "epoch",
    "tenant",
    "platform_data",
    "payloads",
    "payload_codec",
    "providers",
    "start",
    "server",
    "instance",
    "founding",
}
# A member's device, which is no server: what the command line starts.
DEVICE, STARTS_IT = "commands", Path("device.py")
OPENING = {"open_sealed", "open_with", "unlock", "Reader", "Checked", "Plain", "PlainEnvelope"}
# Libraries in which a JWE is opened without any of this.
LIBRARIES = {"joserfc.jwe", "jwcrypto"}
BYPASSES = {"model_construct"}


def _broken(source: Path) -> Iterator[str]:
    """Each line of the server's code that reaches plaintext by another way."""
    for path in sorted(source.rglob("*.py")):
        if path.relative_to(source).parts[0] == INSIDE:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            started = {f"gpuaas.{INSIDE}.{DEVICE}"} if path.relative_to(source) == STARTS_IT else set()
            if any(_forbidden(name) for name in {*_names(node)} - started):
                yield f"{path.relative_to(source)}:{getattr(node, 'lineno', 0)}"


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Attribute):
        yield f".{node.attr}"


def _forbidden(name: str) -> bool:
    if any(name == library or name.startswith(f"{library}.") for library in LIBRARIES):
        return True
    last = name.rpartition(".")[2]
    if name.startswith("."):
        return last in OPENING | BYPASSES
    package = f"gpuaas.{INSIDE}."
    if not name.startswith(package):
        return False
    module, _separator, what = name.removeprefix(package).partition(".")
    return module not in OPEN_TO_ALL or what in OPENING or what == "*"


def test_nobody_else_opens() -> None:
    assert list(_broken(SOURCE)) == []


@pytest.mark.parametrize(
    "line",
    [
        "from gpuaas.encryption.tenant import Checked",
        "from gpuaas.encryption.platform_data import open_sealed",
        "from gpuaas.encryption import jwe",
        "from gpuaas.encryption import commands",
        "from gpuaas.encryption import escrow",
        "from gpuaas.encryption.reader import Reader",
        "from gpuaas.encryption.decryption import Plain",
        "from gpuaas.encryption.tenant import *",
        "import gpuaas.encryption.jwe",
        "from joserfc import jwe",
        "import joserfc.jwe",
        "from joserfc.jwe import decrypt_json",
        "x = checked.open_with(keys)",
        "x = chain.unlock(key)",
        "x = tenant.Checked(a, b, c)",
        "x = decryption.Plain(b'', mode)",
        "x = PlainEnvelope.model_construct(content='x')",
    ],
)
def test_who_opens_elsewhere_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "routes.py").write_text(f"import json\n{line}\n")
    assert list(_broken(tmp_path)) == ["api/routes.py:2"]
    (tmp_path / INSIDE).mkdir()
    (tmp_path / "api" / "routes.py").rename(tmp_path / INSIDE / "routes.py")
    assert list(_broken(tmp_path)) == []


@pytest.mark.parametrize(
    "line",
    [
        "from gpuaas.encryption.decryption import DecryptionContext, Sealed",
        "from gpuaas.encryption import tenant, store",
        "from gpuaas.encryption.tenant import Expected, check",
        "x = tenant.check(a, b, c)",
    ],
)
def test_who_stores_and_shows_is_not(tmp_path: Path, line: str) -> None:
    (tmp_path / "routes.py").write_text(f"{line}\n")
    assert list(_broken(tmp_path)) == []
