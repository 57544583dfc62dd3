"""Secrets of this machine: a file for each (as Kubernetes and Compose mount them), or one file of all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import SplitResult, unquote

from gpuaas.secrets.provider import SecretError, SourceUnavailableError, Used, missing, single_line

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class LocalSecretsProvider:
    """``path`` is a directory of files named like the secrets, or one YAML file of names and values.

    The one file may be readable by its owner alone. Files of a directory are not
    asked about that: who mounts them decides on their group.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, None] = {}

    def get(self, name: str) -> str:
        """The value of a secret, read again each time. Raises SecretError."""
        value = self._value(name)
        self._read[name] = None
        return value

    def used(self) -> Used:
        """Files, whichever."""
        return Used("files", tuple(sorted(self._read)))

    def _value(self, name: str) -> str:
        if self._path.is_dir():
            return single_line(name, _decoded(name, _read(name, self._path / name)))
        document = _document(name, self._path)
        if name not in document:
            raise missing(name)
        return single_line(name, document[name])


def at(url: SplitResult, ca_file: Path) -> LocalSecretsProvider:
    """The provider of ``file:///...`` (RFC 8089). Raises ValueError."""
    path = unquote(url.path)
    if url.netloc or not path.startswith("/") or os.path.normpath(path) != path or "\0" in path:
        raise ValueError
    return LocalSecretsProvider(Path(path))


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise missing(name) from None
    except OSError as error:
        raise SecretError(name, f"is unreadable ({os.strerror(error.errno or 0)})") from None


def _decoded(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SecretError(name, "is not text") from None


def _document(name: str, path: Path) -> dict[object, object]:
    """The whole file. What is wrong with it is said without quoting it."""
    import yaml  # only this form of source needs it

    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                raise SourceUnavailableError(name, "is a file that others can read: chmod 600")
            document = yaml.safe_load(file.read())
    except OSError as error:
        raise SourceUnavailableError(name, f"is unreadable ({os.strerror(error.errno or 0)})") from None
    except (yaml.YAMLError, ValueError):
        raise SourceUnavailableError(name, "is a file that is not YAML") from None
    if not isinstance(document, dict):
        raise SourceUnavailableError(name, "is a file without names and values")
    return document
