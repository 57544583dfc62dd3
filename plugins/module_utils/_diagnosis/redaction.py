# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take every secret of the run out of a text before it leaves the machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.patterns import MASK, mask_shapes
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.secret_forms import forms
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.hidden import parts, values_in

# A value this short may be part of any word; it is masked where it stands alone.
_SHORT = 4
# Lines of a PEM body that are long enough to be nothing else.
_KEY_LINE = 16
_KUBECONFIG_SECRETS = re.compile(r"^\s*-?\s*(?:client-key-data|token|password):\s*[\"']?([^\s\"']+)", re.MULTILINE)


class Redactor:
    """Masks known values in all their forms, and whatever looks like a secret."""

    def __init__(self, values: Iterable[str], verbatim: Iterable[str] = ()) -> None:
        """``values`` are looked for in every form, ``verbatim`` as they are."""
        found = {form for value in values for form in forms(value)} | {text for text in verbatim if text}
        # The longest first, so that no rest of a value is left where another value is a part of it.
        ordered = sorted(found, key=lambda form: (-len(form), form))
        self._long = [form for form in ordered if len(form) >= _SHORT]
        short = "|".join(re.escape(form) for form in ordered if len(form) < _SHORT)
        self._short = re.compile(rf"(?<!\w)(?:{short})(?!\w)") if short else None

    def __call__(self, text: str) -> str:
        # str.replace and not one large pattern: it scans at memory speed, an alternation of hundreds does not.
        for form in self._long:
            text = text.replace(form, MASK)
        if self._short is not None:
            text = self._short.sub(MASK, text)
        return mask_shapes(text)


@dataclass(frozen=True)
class Knowledge:
    """How to redact a run's texts; ``unknown`` names what could not be read and so cannot be masked."""

    redact: Redactor
    unknown: tuple[str, ...] = ()


def knowledge_of(state_dir: Path, kubeconfig: Path | None = None) -> Knowledge:
    """Learn every secret of a run: those below secrets/, the private keys of tls/ and the kubeconfig's, if any."""
    values: set[str] = set()
    verbatim: set[str] = set()
    unknown: list[str] = []
    files = [*_files_below(state_dir / "secrets", unknown), *_files_below(state_dir / "tls", unknown)]
    for path in [*files, *([kubeconfig] if kubeconfig else [])]:
        try:
            # Bytes that are no text must not hide the values around them.
            text = path.read_bytes().decode(errors="replace")
        except FileNotFoundError:
            continue
        except OSError as error:
            unknown.append(f"{path}: {error.strerror or type(error).__name__}")
            continue
        if path == kubeconfig:
            verbatim |= set(_KUBECONFIG_SECRETS.findall(text))
        elif "PRIVATE KEY-----" in text:
            verbatim |= {line.strip() for line in text.splitlines() if len(line) >= _KEY_LINE and not line.startswith("-----")}
        elif path.suffix in (".yml", ".yaml"):
            found, without = values_in(text)
            values |= found
            unknown += [f"{path}: {name}" for name in without]
        elif state_dir / "secrets" in path.parents:
            values |= parts(text)
    return Knowledge(Redactor(values, verbatim), tuple(unknown))


def _files_below(directory: Path, unknown: list[str]) -> Iterator[Path]:
    """Regular files below ``directory``; what cannot be listed is noted."""

    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            unknown.append(f"{error.filename}: {error.strerror}")

    for folder, _folders, names in directory.walk(on_error=note):
        yield from (folder / name for name in sorted(names))
