# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python libraries that the collection requires, for every file of it to import from here.

A file can then be imported where a library is missing, which ansible-test demands of every plugin, and
whoever works with it refuses with REQUIREMENTS_MISSING first, where there would be a traceback.
A library is loaded when the first file asks for it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

if TYPE_CHECKING:
    import httpx
    import jmespath
    import jsonschema
    import yaml
    from cryptography import exceptions, x509
    from cryptography.hazmat.primitives import hashes, keywrap, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.kdf import hkdf
    from packaging import markers

__all__ = ["ec", "exceptions", "hashes", "hkdf", "httpx", "jmespath", "jsonschema", "keywrap", "markers", "serialization", "x509", "yaml"]

_PLACES = {
    "exceptions": "cryptography.exceptions",
    "ec": "cryptography.hazmat.primitives.asymmetric.ec",
    "hashes": "cryptography.hazmat.primitives.hashes",
    "hkdf": "cryptography.hazmat.primitives.kdf.hkdf",
    "httpx": "httpx",
    "jmespath": "jmespath",
    "jsonschema": "jsonschema",
    "keywrap": "cryptography.hazmat.primitives.keywrap",
    "markers": "packaging.markers",
    "serialization": "cryptography.hazmat.primitives.serialization",
    "x509": "cryptography.x509",
    "yaml": "yaml",
}
# PyYAML and packaging are not among them: ansible-core itself does not start without them.
_REQUIRED = ("cryptography", "httpx", "jmespath", "jsonschema", "kubernetes")


def demand() -> None:
    """Refuse to work where a library is missing; ParityError names it and the command that installs all of them."""
    missing = [name for name in _REQUIRED if importlib.util.find_spec(name) is None]
    if missing:
        locked = Path(__file__).parents[2] / "requirements" / "runtime.txt"
        do = f"{sys.executable} -m pip install --require-hashes --requirement {locked}"
        raise ParityError("REQUIREMENTS_MISSING", f"{sys.executable} lacks {', '.join(missing)}", do)


class _Absent(type):
    """What a file sees of a missing library while it is imported: classes to derive from, which nobody comes to use."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return cls


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"{__name__} has no library {name}")
    try:
        return importlib.import_module(_PLACES[name])
    except ImportError:
        return _Absent(name, (Exception,), {})
